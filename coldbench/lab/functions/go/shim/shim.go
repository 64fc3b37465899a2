// Package shim makes a Go function tell the truth about itself: Server-Timing with every answer.
//
// All instants are epoch microseconds, so that they compare exactly with the platform's X-Request-Start.
package shim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const holdAtMost = 10 * time.Second

var (
	importedUs = NowUs()
	spans      []string
	endedUs    int64
	mutex      sync.Mutex // of what a request changes
	seq        int
	instance   string
)

// Handler answers a request with a status and a value to send as JSON.
type Handler func(method, path string, body []byte) (int, any)

// NowUs is the clock of the system, epoch microseconds.
func NowUs() int64 { return time.Now().UnixMicro() }

// Span names a part of the init that began then and ends now.
func Span(name string, beganUs int64) {
	spans = append(spans, fmt.Sprintf("init-%s;dur=%s", name, ms(NowUs()-beganUs)))
}

// Serve answers requests on $PORT until standard input ends.
func Serve(handler Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// The platform's end of standard input is the platform's end: nobody is left to serve.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	initEnded()
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timing := arrived(r.Header.Get("X-Request-Start"))
		body, _ := io.ReadAll(r.Body)
		hold(r.Header.Get("X-Coldbench-Hold-Until"), r.Header.Get("X-Coldbench-Hold-Ms"))
		status, value := handler(r.Method, r.URL.Path, body)
		answer, _ := json.Marshal(value)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Server-Timing", timing())
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}))
}

// Says so to a platform that listens, once everything that runs before the first request has run.
func initEnded() {
	endedUs = NowUs()
	if path := os.Getenv("COLDBENCH_READY"); path != "" {
		if listener, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			fmt.Fprintf(listener, "READY %d.%06d\n", endedUs/1_000_000, endedUs%1_000_000)
			listener.Close()
		}
	}
}

// A request has come. What is returned gives the header, right before the answer is sent.
func arrived(requestStart string) func() string {
	mutex.Lock()
	atUs := NowUs()
	if instance == "" {
		instance = uuid() // lazily: a restored copy makes its own
	}
	seq++
	number := seq
	mutex.Unlock()
	return func() string {
		beganUs, from := importedUs, "import"
		if started := os.Getenv("COLDBENCH_PROCESS_STARTED"); started != "" {
			beganUs, from = fromSeconds(started), "process"
		}
		parts := []string{fmt.Sprintf("init;dur=%s;desc=%q", ms(endedUs-beganUs), from)}
		parts = append(parts, spans...)
		parts = append(parts,
			"age;dur="+ms(atUs-endedUs),
			fmt.Sprintf("seq;desc=\"%d\"", number),
			fmt.Sprintf("inst;desc=%q", instance),
			"exec;dur="+ms(NowUs()-atUs))
		if strings.HasPrefix(requestStart, "t=") {
			parts = append(parts, "queue;dur="+ms(max(0, atUs-fromSeconds(requestStart[2:]))))
		}
		return strings.Join(parts, ", ")
	}
}

// Keeps the instance busy as asked, where its owner allows that.
func hold(untilMs, forMs string) {
	if os.Getenv("COLDBENCH_HOLD") != "1" {
		return
	}
	var wait time.Duration
	if until, err := strconv.ParseFloat(untilMs, 64); err == nil {
		wait = time.Until(time.UnixMicro(int64(until * 1000)))
	} else if period, err := strconv.ParseFloat(forMs, 64); err == nil {
		wait = time.Duration(period * float64(time.Millisecond))
	}
	if wait > holdAtMost {
		wait = holdAtMost
	}
	time.Sleep(wait)
}

func max(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

func ms(us int64) string { return fmt.Sprintf("%d.%03d", us/1000, us%1000) }

func fromSeconds(text string) int64 {
	whole, part, _ := strings.Cut(text, ".")
	seconds, _ := strconv.ParseInt(whole, 10, 64)
	micros, _ := strconv.ParseInt((part + "000000")[:6], 10, 64)
	return seconds*1_000_000 + micros
}

func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
