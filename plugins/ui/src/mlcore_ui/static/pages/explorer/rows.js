// Rows of a table on the server, in windows: only those in sight are asked for, old ones stay until new ones are there.
import { signal } from "../../lib/html.js";
import { api } from "../../lib/api.js";

const SIZE = 100;
const MOST = 40;
/** Rows in a millisecond above which the table only flies by. */
const FAST = 0.25;
const SETTLED_MS = 90;

/** The rows of an answer of `runs:table`, as objects that look into it. @param {any} answer @param {number} [level] of what they are below */
export function rowsOf(answer, level = 0) {
  const { rows, columns } = answer;
  return rows.run_id.map((run_id, at) => ({
    run_id, at, columns, run_name: rows.run_name[at] || run_id, status: rows.status[at], start_time: rows.start_time[at], end_time: rows.end_time[at],
    experiment_id: rows.experiment_id[at], user_id: rows.user_id[at], lifecycle_stage: rows.lifecycle_stage[at],
    parent_id: rows.parent_id?.[at], depth: rows.depth?.[at] ?? 0, level: (rows.depth?.[at] ?? 0) + level, children: rows.children?.[at] ?? 0,
  }));
}

export class Windows {
  /** @param {number} [level] of the rows, from 0 */
  constructor(level = 0) {
    this.level = level;
    /** Counts what has arrived: whoever draws rows looks at it. */
    this.version = signal(0);
    this.total = 0;
    this.matching = 0;
    /** @type {any} what went wrong last */
    this.error = null;
    this.loading = false;
    this.known = false;
    /** @type {string|undefined} */
    this.revision = undefined;
    this.windows = new Map();
    this.waiting = new Map();
    this.fresh = new Set();
    this.generation = 0;
    this.range = [0, 40];
    this.seen = { first: 0, time: 0 };
    this.pause = 2000;
  }

  /** Ask something else. @param {import("../../lib/types.js").Question} question of `runs:table`, without offset and limit */
  ask(question) {
    this.question = question;
    this.generation += 1;
    this.abort();
    this.fresh.clear();
    this.load();
  }

  /** The same question once more: answers may have changed. */
  again() {
    for (const at of this.windows.keys()) if (!this.wanted().includes(at)) this.windows.delete(at);
    this.fresh.clear();
    this.load();
  }

  abort() {
    for (const controller of this.waiting.values()) controller.abort();
    this.waiting.clear();
    clearTimeout(this.timer);
  }

  /** @param {number} index */
  row(index) {
    return this.windows.get(Math.floor(index / SIZE))?.[index % SIZE];
  }

  /** All rows that are here, in order. */
  here() {
    return [...this.windows.keys()].sort((a, b) => a - b).flatMap((at) => this.windows.get(at));
  }

  wanted() {
    const [first, last] = this.range;
    const from = Math.max(0, Math.floor((first - SIZE / 4) / SIZE));
    const to = Math.floor(Math.max(0, Math.min(last + SIZE / 4, (this.known ? this.total : SIZE) - 1)) / SIZE);
    return Array.from({ length: Math.max(1, to - from + 1) }, (_, at) => from + at);
  }

  /** These rows are in sight. @param {number} first @param {number} last */
  want(first, last) {
    if (first === this.range[0] && last === this.range[1]) return;
    this.range = [first, last];
    if (!this.question) return;
    const now = performance.now();
    const speed = Math.abs(first - this.seen.first) / Math.max(1, now - this.seen.time);
    this.seen = { first, time: now };
    clearTimeout(this.timer);
    if (this.wanted().every((at) => this.fresh.has(at))) return;
    if (speed > FAST) this.timer = setTimeout(() => this.load(), SETTLED_MS);
    else this.load();
  }

  load() {
    if (!this.question) return;
    const wanted = this.wanted();
    for (const [at, controller] of this.waiting) {
      if (!wanted.includes(at)) { controller.abort(); this.waiting.delete(at); }
    }
    for (const at of wanted) if (!this.fresh.has(at) && !this.waiting.has(at)) this.fetch(at);
  }

  async fetch(at) {
    const controller = new AbortController();
    const generation = this.generation;
    this.waiting.set(at, controller);
    // rows that are on their way change nothing that is drawn
    if (!this.known || this.fresh.size === 0) this.tell();
    try {
      const answer = await api.post("api/ui/1/runs:table", { ...this.question, offset: at * SIZE, limit: SIZE }, controller.signal);
      if (generation === this.generation && !controller.signal.aborted) this.take(at, answer);
    } catch (error) {
      if (error.name !== "AbortError" && generation === this.generation) this.failed(error);
    }
    if (this.waiting.get(at) === controller) this.waiting.delete(at);
    this.tell();
  }

  take(at, answer) {
    const changed = answer.revision !== this.revision;
    if (this.drawnGeneration !== this.generation) {
      this.windows.clear();
      this.drawnGeneration = this.generation;
    } else if (changed) {
      const wanted = this.wanted();
      for (const old of this.windows.keys()) if (!wanted.includes(old)) { this.windows.delete(old); this.fresh.delete(old); }
    }
    this.windows.set(at, rowsOf(answer, this.level));
    this.fresh.add(at);
    Object.assign(this, { total: answer.total, matching: answer.matching ?? answer.total, revision: answer.revision, error: null, known: true, pause: 2000 });
    while (this.windows.size > MOST) {
      const oldest = [...this.windows.keys()].find((one) => !this.wanted().includes(one));
      this.windows.delete(oldest);
      this.fresh.delete(oldest);
    }
    // the table may have become shorter than what is in sight
    if (!this.wanted().every((one) => this.fresh.has(one))) this.load();
  }

  failed(error) {
    this.error = error;
    if (error.status && error.status < 500) return;
    // the server is away: it is asked again, more and more seldom
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), this.pause);
    this.pause = Math.min(15000, this.pause * 1.6);
  }

  tell() {
    this.loading = this.waiting.size > 0;
    this.version.value += 1;
  }

  close() {
    this.generation += 1;
    this.abort();
  }
}
