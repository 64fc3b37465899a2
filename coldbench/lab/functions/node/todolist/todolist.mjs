// A small to-do API over a store that is built and indexed at import: an init with real work in it.
//   GET /todos   POST /todos {"title": ...}   POST /todos/ID/complete   DELETE /todos/ID

import { serve } from '../server.mjs';
import { nowUs, shim } from '../../../../evidence/shims/coldbench_shim.mjs';

const SEEDED = 60_000;
const LISTED = 20;

const began = nowUs();
const store = new Map();
const byTitle = new Map();
let last = 0;

function add(title, done) {
  const todo = { id: ++last, title, done };
  store.set(todo.id, todo);
  for (const word of title.toLowerCase().split(/\W+/)) {
    if (!byTitle.has(word)) byTitle.set(word, []);
    byTitle.get(word).push(todo.id);
  }
  return todo;
}

// As a service that reads its snapshot: parse it, then index every record.
const snapshot = JSON.stringify(
  Array.from({ length: SEEDED }, (_, n) => ({ title: `chore ${(n * 7919) % 10007}`, done: n % 2 === 1 })),
);
for (const { title, done } of JSON.parse(snapshot)) add(title, done);
const sorted = [...store.values()].sort((a, b) => a.title.localeCompare(b.title));
shim.span('store', began);

serve((method, path, body) => {
  const [first, id, verb] = path.replace(/^\/|\/$/g, '').split('/');
  const todo = store.get(Number(id));
  if ((method === 'GET' || method === 'HEAD') && id === undefined && (first === '' || first === 'todos')) {
    return [200, Array.from({ length: Math.min(LISTED, store.size) }, (_, n) => store.get(last - n)).filter(Boolean)];
  }
  if (first !== 'todos') return [404, { error: 'no such path', indexed: sorted.length }];
  if (method === 'POST' && id === undefined) {
    try {
      return [201, add(String(JSON.parse(body).title), false)];
    } catch {
      return [400, { error: 'expected {"title": ...}' }];
    }
  }
  if (!todo) return [404, { error: 'no such todo' }];
  if (method === 'POST' && verb === 'complete') return [200, Object.assign(todo, { done: true })];
  if (method === 'DELETE' && verb === undefined) {
    store.delete(todo.id);
    return [200, { deleted: todo.id }];
  }
  return [404, { error: 'no such path' }];
});
