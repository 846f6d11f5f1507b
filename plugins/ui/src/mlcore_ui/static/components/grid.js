// A table of any number of rows and columns, of which only those in sight exist. Rows are recycled by their place.
import { html, Component } from "../lib/html.js";
import { Row, ROW, drawn, inSight, layout, place } from "./gridrow.js";

const HEAD = 46;
const SPARE = 6;
const NARROWEST = 48;

/**
 * @typedef {object} GridProps
 * @property {string} label what the table holds
 * @property {import("./gridrow.js").Column[]} columns
 * @property {Record<string, number>} [widths] in pixels, of columns that were resized
 * @property {number} total how many rows there are below the pinned ones
 * @property {(index: number) => any} row undefined while it is not known
 * @property {any[]} [pinned] rows that stay in sight above the others
 * @property {any} version differs when rows may have changed
 * @property {string} home the grid goes to its first row when this changes
 * @property {(row: any, column: any) => any} cell
 * @property {(column: any) => any} head
 * @property {(column: any) => string|undefined} [sorted] "ascending" or "descending"
 * @property {(row: any) => boolean} isSelected
 * @property {(row: any) => boolean} isHovered
 * @property {(first: number, last: number) => void} onSight rows that are in sight
 * @property {(row: any) => void} [onHover] also null
 * @property {(key: string, row: any, column: any, event: KeyboardEvent) => boolean} onKey whether the key was of use; row is null in the head
 * @property {(id: string, width: number) => void} onResize
 * @property {(id: string, before: string) => void} onMove
 * @property {boolean} [tree] rows have levels: their `level`, from 0
 * @property {Map<any, object>} [places] where somebody was, by step of the history
 */

export class VirtualGrid extends Component {
  constructor(props) {
    super(props);
    this.state = { first: 0, left: 0, height: 600, width: 1000, row: 0, col: 1, drag: null };
    this.takeBox = (element) => { if (element) this.box = element; };
    this.onScroll = () => this.measure();
    this.wanted = false;
  }

  componentDidMount() {
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.box);
    this.step = history.state?.at;
    this.place = this.props.places?.get(this.step);
    this.measure();
  }

  componentWillUnmount() {
    this.observer.disconnect();
    const { row, col } = this.state;
    // the page has gone on already: its step is the next one's
    if (this.props.total) this.props.places?.set(this.step, { top: this.box.scrollTop, left: this.box.scrollLeft, row, col, focus: this.wanted });
  }

  /** Go to where somebody was, as soon as there are rows. */
  comeBack() {
    const { top, left, row, col, focus } = this.place;
    this.place = undefined;
    this.box.scrollTop = top;
    this.box.scrollLeft = left;
    this.wanted = focus;
    this.setState({ row, col });
    this.measure();
  }

  componentDidUpdate(before) {
    if (before.home !== this.props.home && this.box.scrollTop) this.box.scrollTop = 0;
    if (before !== this.props) this.step = history.state?.at;
    if (this.place && this.props.total) this.comeBack();
    this.tellSight();
    if (this.wanted) this.refocus();
  }

  measure() {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.box;
    const first = Math.floor(scrollTop / ROW);
    const old = this.state;
    const seen = inSight(this.plan, old.left, old.width);
    const now = inSight(this.plan, scrollLeft, clientWidth);
    if (first !== old.first || seen.first !== now.first || seen.last !== now.last || clientHeight !== old.height || clientWidth !== old.width) {
      this.setState({ first, left: scrollLeft, height: clientHeight, width: clientWidth });
    }
  }

  /** @returns {[number, number]} rows to draw, the second not included */
  span() {
    const visible = Math.ceil(this.state.height / ROW);
    // even: what leaves above comes in below, two at a time
    const first = Math.max(0, Math.min(this.state.first, this.props.total - 1) - SPARE) & ~1;
    return [first, Math.min(this.props.total, first + visible + 2 * SPARE + 2)];
  }

  tellSight() {
    const first = Math.min(this.state.first, Math.max(0, this.props.total - 1));
    this.props.onSight(first, first + Math.ceil(this.state.height / ROW));
  }

  rowAt(number) {
    const pinned = this.props.pinned ?? [];
    return number < 0 ? null : number < pinned.length ? pinned[number] : this.props.row(number - pinned.length);
  }

  /** Make a cell the one that keys speak to. */
  go(row, col, focus = true) {
    const most = this.props.total + (this.props.pinned?.length ?? 0) - 1;
    row = Math.max(-1, Math.min(most, row));
    col = Math.max(0, Math.min(this.plan.columns.length - 1, col));
    this.wanted = focus;
    this.show(row, col);
    this.setState({ row, col });
  }

  show(row, col) {
    const pinned = this.props.pinned?.length ?? 0;
    if (row >= pinned) {
      const top = (row - pinned) * ROW;
      const room = this.box.clientHeight - HEAD - (pinned + 1) * ROW;
      if (top < this.box.scrollTop) this.box.scrollTop = top;
      else if (top > this.box.scrollTop + room) this.box.scrollTop = top - room;
    }
    if (col >= this.plan.fixed) {
      const left = this.plan.lefts[col] - this.plan.lefts[this.plan.fixed];
      const room = this.box.clientWidth - this.plan.lefts[this.plan.fixed] - this.plan.columns[col].width;
      if (left < this.box.scrollLeft) this.box.scrollLeft = left;
      else if (left > this.box.scrollLeft + room) this.box.scrollLeft = Math.max(0, left - Math.max(0, room));
    }
    this.measure();
  }

  refocus() {
    const now = document.activeElement;
    if (now !== document.body && !this.box.contains(now)) { this.wanted = false; return; }
    if (now instanceof HTMLElement && this.box.contains(now) && !now.matches("[data-row]") && now !== this.box) return;
    const cell = this.box.querySelector(`[data-row="${this.state.row}"][data-col="${this.state.col}"]`);
    if (cell !== now) (cell ?? this.box).focus({ preventScroll: true });
  }

  onKeyDown = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    const page = Math.max(1, Math.floor(this.state.height / ROW) - 3);
    const { row, col } = this.state;
    const end = this.plan.columns.length - 1;
    const to = event.altKey || event.shiftKey ? null : {
      ArrowDown: [row + 1, col], ArrowUp: [row - 1, col], ArrowLeft: [row, col - 1], ArrowRight: [row, col + 1],
      Home: [Math.min(row, 0), col], End: [Infinity, col], PageDown: [row + page, col], PageUp: [Math.max(0, row - page), col],
    }[event.key];
    const used = to ? (this.go(...to), true) : this.head(event, row, col, end) || this.props.onKey(event.key, this.rowAt(row), this.plan.columns[col], event);
    if (used) { event.preventDefault(); event.stopPropagation(); }
  };

  head(event, row, col, end) {
    const column = this.plan.columns[col];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (row !== -1 || !step) return false;
    if (event.shiftKey) this.props.onResize(column.id, Math.max(NARROWEST, column.width + step * 16));
    else if (event.altKey && col + step >= this.plan.fixed && col + step <= end && col >= this.plan.fixed) {
      this.props.onMove(column.id, this.plan.columns[step < 0 ? col - 1 : col + 2]?.id ?? "");
      this.go(row, col + step);
    }
    return true;
  }

  onFocus = (event) => {
    const cell = event.target.closest("[data-row]");
    if (!cell) return;
    this.wanted = true;
    const row = Number(cell.dataset.row);
    const col = Number(cell.dataset.col);
    if (row !== this.state.row || col !== this.state.col) this.setState({ row, col });
  };

  onOver = (event) => {
    const cell = event.target.closest("[data-row]");
    this.props.onHover?.(cell ? this.rowAt(Number(cell.dataset.row)) : null);
  };

  grab(event, at) {
    event.preventDefault();
    event.stopPropagation();
    const handle = event.currentTarget;
    const column = this.plan.columns[at];
    const from = event.clientX - column.width;
    const width = (moved) => Math.max(NARROWEST, Math.round(moved.clientX - from));
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (moved) => this.setState({ drag: { [column.id]: width(moved) } });
    handle.onpointerup = (moved) => {
      handle.onpointermove = handle.onpointerup = null;
      this.setState({ drag: null });
      this.props.onResize(column.id, width(moved));
    };
  }

  /** The head, made again only for its own changes: not while rows go by. */
  headRow(seen) {
    const { head, sorted } = this.props;
    const col = this.state.row === -1 ? this.state.col : -1;
    const of = [this.plan, seen.first, seen.last, head, sorted, col];
    if (!this.headOf || of.some((one, at) => one !== this.headOf[at])) {
      this.headOf = of;
      this.headMade = this.headDrawn(drawn(this.plan, seen), col);
    }
    return this.headMade;
  }

  headDrawn(places, col) {
    const { head, sorted } = this.props;
    return html`<div role="row" class="grid-head" aria-rowindex="1" style=${{ width: `${this.plan.total}px` }}>
      ${places.map((at) => {
        const column = this.plan.columns[at];
        return html`<div key=${column.id} role="columnheader" aria-colindex=${at + 1} data-row="-1" data-col=${at} aria-sort=${sorted?.(column)}
          class=${`grid-cell${at < this.plan.fixed ? " pinned" : ""}${column.right ? " right" : ""}`} tabindex=${col === at ? 0 : -1} style=${place(this.plan, at)}
          draggable=${at >= this.plan.fixed} onDragStart=${(event) => event.dataTransfer.setData("text/column", column.id)}
          onDragOver=${(event) => { if (at >= this.plan.fixed) event.preventDefault(); }}
          onDrop=${(event) => { event.preventDefault(); this.props.onMove(event.dataTransfer.getData("text/column"), column.id); }}>
          ${head(column)}<span class="grid-grip" aria-hidden="true" onPointerDown=${(event) => this.grab(event, at)}></span></div>`;
      })}</div>`;
  }

  planned() {
    const { columns, widths } = this.props;
    const { drag } = this.state;
    if (this.made?.columns !== columns || this.made.widths !== widths || this.made.drag !== drag) {
      this.made = { columns, widths, drag };
      this.plan = layout(columns, { ...widths, ...drag });
    }
    return this.plan;
  }

  one(row, number, top, key, seen) {
    const { cell, isSelected, isHovered, version } = this.props;
    return html`<${Row} key=${key} row=${row} number=${number} index=${number} tree=${this.props.tree} top=${top} plan=${this.plan} first=${seen.first} last=${seen.last} cell=${cell} version=${version}
      selected=${row && isSelected(row)} hovered=${row && isHovered(row)} active=${this.state.row === number ? this.state.col : -1} />`;
  }

  render({ label, total, row, pinned = [], busy, tree }) {
    const plan = this.planned();
    const seen = inSight(plan, this.state.left, this.state.width);
    const [first, last] = this.span();
    const pool = Math.ceil(this.state.height / ROW) + 2 * SPARE + 2;
    const rows = [];
    for (let at = first; at < last; at += 1) rows.push(this.one(row(at), at + pinned.length, at * ROW, at % pool, seen));
    const here = this.state.row < pinned.length || (this.state.row - pinned.length >= first && this.state.row - pinned.length < last);
    return html`<div class="grid" ref=${this.takeBox} role=${tree ? "treegrid" : "grid"} aria-label=${label} aria-rowcount=${total + pinned.length + 1} aria-colcount=${plan.columns.length}
      aria-multiselectable="true" aria-busy=${Boolean(busy)} tabindex=${here ? -1 : 0} onScroll=${this.onScroll} onKeyDown=${this.onKeyDown} onFocusIn=${this.onFocus}
      onMouseOver=${this.onOver} onMouseLeave=${() => this.props.onHover?.(null)}>
      ${this.headRow(seen)}
      ${pinned.length > 0 && html`<div class="grid-kept" role="rowgroup" style=${{ height: `${pinned.length * ROW}px`, width: `${plan.total}px` }}>
        ${pinned.map((one, at) => this.one(one, at, at * ROW, `kept${at}`, seen))}</div>`}
      <div class="grid-body" role="rowgroup" style=${{ height: `${Math.max(1, total) * ROW}px`, width: `${plan.total}px` }}>${rows}</div>
    </div>`;
  }
}
