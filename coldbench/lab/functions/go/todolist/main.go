// A small to-do API over a store that is built and indexed at import: an init with real work in it.
//
//	GET /todos   POST /todos {"title": ...}   POST /todos/ID/complete   DELETE /todos/ID
package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"

	"coldbench/functions/server"
	coldbench "coldbench/shims"
)

const (
	seeded = 300_000
	listed = 20
)

type todo struct {
	ID    int    `json:"id"`
	Title string `json:"title"`
	Done  bool   `json:"done"`
}

var (
	mutex   sync.Mutex
	store   = map[int]*todo{}
	byTitle = map[string][]int{}
	last    int
)

func add(title string, done bool) *todo {
	last++
	made := &todo{last, title, done}
	store[last] = made
	for _, word := range strings.Fields(strings.ToLower(title)) {
		byTitle[word] = append(byTitle[word], last)
	}
	return made
}

func problem(status int, text string) (int, any) { return status, map[string]string{"error": text} }

func todos(method, path string, body []byte) (int, any) {
	mutex.Lock()
	defer mutex.Unlock()
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if (method == "GET" || method == "HEAD") && len(parts) == 1 && (parts[0] == "" || parts[0] == "todos") {
		newest := []todo{}
		for id := last; id > last-listed; id-- {
			if found, ok := store[id]; ok {
				newest = append(newest, *found)
			}
		}
		return 200, newest
	}
	if parts[0] != "todos" {
		return problem(404, "no such path")
	}
	if method == "POST" && len(parts) == 1 {
		var asked struct{ Title *string }
		if json.Unmarshal(body, &asked) != nil || asked.Title == nil {
			return problem(400, `expected {"title": ...}`)
		}
		return 201, *add(*asked.Title, false)
	}
	id := 0
	if len(parts) > 1 {
		id, _ = strconv.Atoi(parts[1])
	}
	found, ok := store[id]
	switch {
	case !ok:
		return problem(404, "no such todo")
	case method == "POST" && len(parts) == 3 && parts[2] == "complete":
		found.Done = true
		return 200, *found
	case method == "DELETE" && len(parts) == 2:
		delete(store, id)
		return 200, map[string]int{"deleted": id}
	}
	return problem(404, "no such path")
}

func main() {
	began := coldbench.NowUs()
	for n := 0; n < seeded; n++ {
		add(fmt.Sprintf("chore %d", n*7919%10007), n%2 == 1)
	}
	titles := make([]string, 0, len(byTitle))
	for title := range byTitle {
		titles = append(titles, title)
	}
	sort.Strings(titles)
	coldbench.Span("store", began)
	server.Serve(todos)
}
