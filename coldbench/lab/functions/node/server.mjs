// Serves a function on $PORT with the shim around it.

import { createServer } from 'node:http';

// handler(method, path, body) -> [status, value]
export function serve(shim, handler) {
  const server = createServer(async (request, response) => {
    const headersNow = shim.arrived(request.headers['x-request-start']);
    let body = '';
    for await (const chunk of request) body += chunk;
    await shim.hold(request.headers['x-coldbench-hold-until'], request.headers['x-coldbench-hold-ms']);
    const [status, value] = handler(request.method, request.url.split('?')[0], body);
    const answer = JSON.stringify(value);
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(answer),
      ...headersNow(),
    });
    response.end(answer);
  });
  server.keepAliveTimeout = 0;
  server.listen(Number(process.env.PORT), '127.0.0.1', 512, () => shim.initEnded());
  // The platform's end of standard input is the platform's end: nobody is left to serve.
  process.stdin.on('end', () => process.exit(0)).resume();
}
