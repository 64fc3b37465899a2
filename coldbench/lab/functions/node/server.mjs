// Serves a function on $PORT with the shim around it.

import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';

import { shim } from '../../../evidence/shims/coldbench_shim.mjs';

// handler(method, path, body) -> [status, value]
export function serve(handler) {
  const server = createServer(shim.http(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [status, value] = handler(request.method, request.url.split('?')[0], body);
    const answer = JSON.stringify(value);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) });
    response.end(answer);
  }));
  server.keepAliveTimeout = 0;
  server.listen(Number(process.env.PORT), '127.0.0.1', 512, ready);
  // The platform's end of standard input is the platform's end: nobody is left to serve.
  process.stdin.on('end', () => process.exit(0)).resume();
}

// Says so to a platform that listens: everything that runs before the first request has run.
function ready() {
  shim.initEnded();
  const path = process.env.COLDBENCH_READY;
  if (!path) return;
  const part = String(shim.endedUs % 1_000_000).padStart(6, '0');
  writeFileSync(path, `READY ${Math.floor(shim.endedUs / 1_000_000)}.${part}\n`);
}
