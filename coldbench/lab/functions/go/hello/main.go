// The smallest function: says hello.
package main

import "coldbench/functions/shim"

func main() {
	shim.Serve(func(method, path string, body []byte) (int, any) {
		return 200, map[string]string{"hello": "world"}
	})
}
