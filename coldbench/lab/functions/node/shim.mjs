// Makes a Node function tell the truth about itself: `Server-Timing` with every answer.
// All instants are epoch microseconds, so that they compare exactly with the platform's `X-Request-Start`.

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';

// The clock of the system, read to the microsecond: Date.now() has only milliseconds.
const zero = BigInt(Math.round(performance.timeOrigin * 1000));
export const nowUs = () => Number(zero) + Math.floor(performance.now() * 1000);

const fromSeconds = (text) => {
  const [whole, part = ''] = text.split('.');
  return Number(whole) * 1_000_000 + Number(part.padEnd(6, '0').slice(0, 6));
};
const ms = (us) => (us / 1000).toFixed(3);

const importedUs = nowUs();
const HOLD_AT_MOST_MS = 10_000;

export class Shim {
  #began; #from; #ended = 0; #seq = 0; #instance = ''; #spans = [];
  #mayHold = process.env.COLDBENCH_HOLD === '1';

  constructor() {
    const started = process.env.COLDBENCH_PROCESS_STARTED;
    this.#began = started ? fromSeconds(started) : importedUs;
    this.#from = started ? 'process' : 'import';
  }

  // A named part of the init that began then and ends now.
  span(name, beganUs) {
    this.#spans.push(`init-${name};dur=${ms(nowUs() - beganUs)}`);
  }

  // Says so to a platform that listens, once everything that runs before the first request has run.
  initEnded() {
    this.#ended = nowUs();
    const path = process.env.COLDBENCH_READY;
    if (path) {
      const part = String(this.#ended % 1_000_000).padStart(6, '0');
      writeFileSync(path, `READY ${Math.floor(this.#ended / 1_000_000)}.${part}\n`);
    }
  }

  // A request has come. The function returned gives the headers, right before the answer is sent.
  arrived(requestStart) {
    const at = nowUs();
    this.#instance ||= randomUUID(); // lazily: a restored copy makes its own
    const seq = ++this.#seq;
    return () => {
      const parts = [
        `init;dur=${ms(this.#ended - this.#began)};desc="${this.#from}"`,
        ...this.#spans,
        `age;dur=${ms(at - this.#ended)}`,
        `seq;desc="${seq}"`,
        `inst;desc="${this.#instance}"`,
        `exec;dur=${ms(nowUs() - at)}`,
      ];
      if (requestStart) parts.push(`queue;dur=${ms(Math.max(0, at - fromSeconds(requestStart.slice(2))))}`);
      return { 'Server-Timing': parts.join(', '), 'Cache-Control': 'no-store' };
    };
  }

  // Keep the instance busy as asked, where its owner allows that.
  async hold(untilMs, forMs) {
    if (!this.#mayHold) return;
    const wait = untilMs ? Number(untilMs) - Date.now() : Number(forMs ?? 0);
    if (wait > 0) await new Promise((resume) => setTimeout(resume, Math.min(wait, HOLD_AT_MOST_MS)));
  }
}
