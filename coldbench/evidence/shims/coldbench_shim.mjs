// coldbench's shim for Node 18 or newer: the function tells the truth about its own instance.
//
// Save it as coldbench_shim.mjs beside your function, and put two lines into your function:
//
//     import { shim } from './coldbench_shim.mjs';    // the first import: the init counts from here
//     ...
//     export const handler = shim.lambda(async (event, context) => { ... });    // AWS Lambda
//     createServer(shim.http((request, response) => { ... })).listen(port);     // node:http
//     app.use(shim.http((request, response, next) => next()));                  // Express, before its routes
//     functions.http('hello', shim.http((request, response) => { ... }));       // functions-framework
//
// Every answer then carries `Server-Timing` and `Cache-Control: no-store`. From the environment it takes
// COLDBENCH_PROCESS_STARTED (epoch seconds: the init counts from the start of the process) and
// COLDBENCH_HOLD=1 (callers may keep an instance busy by X-Coldbench-Hold-Ms and X-Coldbench-Hold-Until).

import { randomUUID } from 'node:crypto';

const HOLD_AT_MOST_MS = 10_000;
const OLDEST_US = 3_600_000_000; // a stamp older than an hour has another unit, one in the future another clock

// The clock of the system, epoch microseconds: Date.now() has only milliseconds.
const zeroUs = Math.round(performance.timeOrigin * 1000);
export const nowUs = () => zeroUs + Math.floor(performance.now() * 1000);

const ms = (us) => (us / 1000).toFixed(3);
const importedUs = nowUs();

// `t=1700000000.123456`, as nginx's `t=${msec}` has it; other forms are not read.
const stampUs = (text) => (text?.startsWith('t=') ? Math.round(Number(text.slice(2)) * 1e6) : NaN);

// One a process. All instants are epoch microseconds, so that they compare with the platform's.
export class Shim {
  #began; #from; #restored = false; #seq = 0; #instance = ''; #spans = [];
  #mayHold = process.env.COLDBENCH_HOLD === '1';
  endedUs = importedUs;

  constructor() {
    // What is no number tells nothing: `date +%s.%N` of some systems leaves the `%N` as it is.
    const started = Number(process.env.COLDBENCH_PROCESS_STARTED || NaN);
    this.#began = Number.isFinite(started) ? Math.round(started * 1e6) : importedUs;
    this.#from = Number.isFinite(started) ? 'process' : 'import';
  }

  // A named part of the init (letters, digits, - and _) that began then and ends now.
  span(name, beganUs) {
    this.#spans.push(`init-${name};dur=${ms(nowUs() - beganUs)}`);
  }

  // The init ends now. The wrappers below say so; call it where yours ends later than they are used.
  initEnded() {
    this.endedUs = nowUs();
  }

  // A snapshot was restored: an instance whose init was another's. Call it where your platform tells you.
  restored() {
    this.#restored = true;
    this.#spans = [];
    this.#seq = 0;
    this.#instance = '';
    this.initEnded();
  }

  // A request has come, which the platform received at `requestStart` (its header) or `epochMs`.
  // The function returned gives the headers, right before the answer is sent.
  arrived(requestStart, epochMs) {
    const at = nowUs();
    const seq = ++this.#seq;
    this.#instance ||= randomUUID(); // lazily: a copy that is restored before its first request makes its own
    const parts = [
      ...(this.#restored ? [] : [`init;dur=${ms(this.endedUs - this.#began)};desc="${this.#from}"`]),
      ...this.#spans,
      `age;dur=${ms(at - this.endedUs)}`,
      `seq;desc="${seq}"`,
      `inst;desc="${this.#instance}"`,
    ];
    const stamp = stampUs(requestStart);
    const queue = at - (Number.isNaN(stamp) ? Number(epochMs ?? NaN) * 1000 : stamp);
    return () => {
      const timing = [...parts, `exec;dur=${ms(nowUs() - at)}`];
      if (queue >= 0 && queue < OLDEST_US) timing.push(`queue;dur=${ms(queue)}`);
      return { 'Server-Timing': timing.join(', '), 'Cache-Control': 'no-store' };
    };
  }

  // Keep the instance busy as asked, where its owner allows that.
  async hold(untilMs, forMs) {
    if (!this.#mayHold) return;
    const wait = untilMs ? Number(untilMs) - Date.now() : Number(forMs ?? 0);
    if (wait > 0) await new Promise((resume) => setTimeout(resume, Math.min(wait, HOLD_AT_MOST_MS)));
  }

  // A handler behind API Gateway, a function URL or a load balancer; other events pass through.
  lambda(handler) {
    const call = handler.length < 3 ? handler : (event, context) =>
      new Promise((resolve, reject) =>
        handler(event, context, (error, result) => (error ? reject(error) : resolve(result))));
    this.initEnded();
    return async (event, context) => {
      const request = event?.requestContext;
      if (!request) return call(event, context);
      const sent = lowerCase(event.headers);
      const headersNow = this.arrived(sent['x-request-start'], request.timeEpoch ?? request.requestTimeEpoch);
      await this.hold(sent['x-coldbench-hold-until'], sent['x-coldbench-hold-ms']);
      return withHeaders(await call(event, context), headersNow(), event);
    };
  }

  // A listener of node:http, a handler of Express or of functions-framework.
  http(listener) {
    this.initEnded();
    return async (request, response, ...more) => {
      const headersNow = this.arrived(request.headers['x-request-start']);
      const writeHead = response.writeHead;
      response.writeHead = (status, ...given) => {
        response.writeHead = writeHead;
        const own = typeof given.at(-1) === 'object' ? given.pop() : {};
        for (const [name, value] of Array.isArray(own) ? inPairs(own) : Object.entries(own)) {
          response.setHeader(name, value);
        }
        const ours = headersNow();
        const theirs = response.getHeader('Server-Timing');
        response.setHeader('Server-Timing', [theirs ?? [], ours['Server-Timing']].flat().join(', '));
        response.setHeader('Cache-Control', ours['Cache-Control']);
        return response.writeHead(status, ...given);
      };
      await this.hold(request.headers['x-coldbench-hold-until'], request.headers['x-coldbench-hold-ms']);
      return listener(request, response, ...more);
    };
  }
}

// [name, value, name, value ...], the other form that writeHead takes.
const inPairs = (flat) => flat.flatMap((name, at) => (at % 2 ? [] : [[name, flat[at + 1]]]));

const lowerCase = (headers) =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));

// The answer of a Lambda handler with our headers; what is not an answer to HTTP as it is.
function withHeaders(result, ours, event) {
  if (result?.statusCode === undefined) {
    if (event.version !== '2.0') return result;
    // What the payload format 2.0 makes of it (API Gateway's developer guide, "Lambda function response").
    const body = typeof result === 'string' ? result : JSON.stringify(result);
    result = { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body };
  }
  const several = result.multiValueHeaders;
  const [field, own] = several ? ['multiValueHeaders', several] : ['headers', result.headers ?? {}];
  const kept = Object.entries(own).filter(([name]) => !(name.toLowerCase() in lowerCase(ours)));
  const theirs = lowerCase(own)['server-timing'] ?? [];
  const timing = [theirs, ours['Server-Timing']].flat().join(', ');
  const added = Object.entries({ ...ours, 'Server-Timing': timing });
  const listed = several ? added.map(([name, value]) => [name, [value]]) : added;
  return { ...result, [field]: Object.fromEntries([...kept, ...listed]) };
}

export const shim = new Shim();
