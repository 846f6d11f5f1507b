// Groups of runs as rows: an open group is followed by its runs, in windows of their own.
import { signal } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { Windows } from "./rows.js";
import { change, groupText } from "./state.js";

const MOST = 1000;

export class Grouped {
  constructor() {
    this.version = signal(0);
    this.total = 0;
    this.matching = 0;
    this.error = null;
    this.loading = false;
    this.known = false;
    /** How many groups there are, more than are shown perhaps. */
    this.groups = 0;
    this.items = [];
    this.range = [0, 40];
    /** @type {Set<string>} the groups that are open, as the address has them */
    this.opened = new Set();
    this.stops = [];
  }

  /** @param {import("../../lib/types.js").Question} question of `runs:table`, with group_by */
  ask(question) {
    this.question = question;
    this.again();
  }

  async again() {
    this.controller?.abort();
    this.controller = new AbortController();
    const { signal: stop } = this.controller;
    this.loading = true;
    this.tell();
    try {
      const answer = await api.post("api/ui/1/runs:table", { ...this.question, tree: false, collapsed: [], offset: 0, limit: MOST }, stop);
      this.take(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.error = error;
    }
    this.loading = false;
    this.tell();
  }

  take(answer) {
    const old = new Map(this.items.map((one) => [one.text, one.source]));
    this.items = answer.groups.map((group) => {
      const text = groupText(group.values);
      const source = old.get(text);
      if (source && this.opened.has(text)) source.ask(this.inside(group));
      else source?.close();
      return this.made({ group, text, level: 0, source: this.opened.has(text) ? source : undefined });
    });
    Object.assign(this, { matching: answer.matching ?? answer.total, groups: answer.groups_total, known: true, error: null });
    this.count();
  }

  /** An item as the address has it: open, with its runs, or closed. */
  made(item) {
    const open = Boolean(item.group.filter) && this.opened.has(item.text);
    if (open && !item.source) {
      item.source = new Windows(1);
      item.source.total = item.group.count;
      item.source.ask(this.inside(item.group));
      this.stops.push(item.source.version.subscribe(() => this.arrived()));
    }
    // a new object: rows are drawn again when theirs is another
    return { ...item, open };
  }

  inside(group) {
    const { filter } = this.question;
    return { ...this.question, group_by: [], tree: false, filter: filter ? `(${filter}) AND (${group.filter})` : group.filter };
  }

  /** Open or close the group of a row: in the address, which is followed. */
  toggle({ group, text }) {
    if (!group.filter) return;
    change({ open: this.opened.has(text) ? [...this.opened].filter((one) => one !== text) : [...this.opened, text] });
  }

  /** These groups are open. @param {string[]} texts */
  follow(texts) {
    if (texts.length === this.opened.size && texts.every((text) => this.opened.has(text))) return;
    this.opened = new Set(texts);
    this.items = this.items.map((item) => (item.open === this.opened.has(item.text) ? item : this.made(item)));
    this.arrived();
  }

  arrived() {
    this.count();
    this.tell();
  }

  count() {
    this.starts = [];
    let at = 0;
    for (const item of this.items) {
      this.starts.push(at);
      at += 1 + (item.open ? item.source.total : 0);
    }
    this.total = at;
  }

  /** The item that a row belongs to. @param {number} index */
  find(index) {
    let low = 0;
    let high = this.items.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  row(index) {
    const at = this.find(index);
    const item = this.items[at];
    if (!item) return undefined;
    return index === this.starts[at] ? item : item.source?.row(index - this.starts[at] - 1);
  }

  here() {
    return this.items.flatMap((item) => (item.open ? item.source.here() : []));
  }

  want(first, last) {
    if (first === this.range[0] && last === this.range[1]) return;
    this.range = [first, last];
    if (!this.items.length) return;
    for (let at = this.find(first); at < this.items.length && this.starts[at] <= last; at += 1) {
      const { open, source } = this.items[at];
      const from = this.starts[at] + 1;
      if (open && last >= from) source.want(Math.max(0, first - from), Math.max(0, last - from));
    }
  }

  tell() { this.version.value += 1; }

  close() {
    this.controller?.abort();
    for (const stop of this.stops) stop();
    for (const item of this.items) item.source?.close();
  }
}
