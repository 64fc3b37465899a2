// The smallest function: says hello.
package main

import "coldbench/functions/server"

func main() {
	server.Serve(func(method, path string, body []byte) (int, any) {
		return 200, map[string]string{"hello": "world"}
	})
}
