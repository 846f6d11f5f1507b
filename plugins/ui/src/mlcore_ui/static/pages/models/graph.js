// A small graph that goes from left to right: columns of boxes as lists, and between them lines for the eye alone.
import { html, useLayoutEffect, useRef, useState } from "../../lib/html.js";

/**
 * @typedef {{id: string, kind: string, shown: any, title?: string, current?: boolean}} Node kind: what it is, in a word
 * @typedef {{name: string, nodes: Node[], more?: number}} Column more: how many there are that are not shown
 * @param {{label: string, columns: Column[], edges: [string, string][]}} props edges: ids of boxes, from left to right
 */
export function Graph({ label, columns, edges }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const [drawn, setDrawn] = useState({ width: 0, height: 0, paths: /** @type {string[]} */ ([]) });
  const filled = columns.filter((one) => one.nodes.length);
  const key = JSON.stringify([filled.map((one) => one.nodes.map((node) => node.id)), edges]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const draw = () => setDrawn(measured(element, edges));
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    for (const one of element.querySelectorAll("[data-node]")) observer.observe(one);
    return () => observer.disconnect();
  }, [key]);
  return html`<div class="scroll lineage" tabindex="0" role="region" aria-label=${`Graph: ${label}`}><div class="lineage-box" ref=${box}>
    <svg aria-hidden="true" width=${drawn.width} height=${drawn.height}>${drawn.paths.map((path) => html`<path key=${path} d=${path} />`)}</svg>
    <ol aria-label=${label}>${filled.map((one) => html`<li key=${one.name}><span class="kind">${one.name}</span>
      <ul>${one.nodes.map((node) => html`<li key=${node.id} data-node=${node.id} class=${node.current ? "current" : ""} aria-current=${node.current ? "true" : undefined} title=${node.title}>
        ${node.kind !== one.name && html`<span class="kind">${node.kind}</span> `}${node.shown}</li>`)}${one.more ? html`<li class="muted">and ${one.more} more</li>` : ""}</ul></li>`)}</ol>
  </div></div>`;
}

/** Lines from the right edge of one box to the left edge of another, and the room that they take. */
function measured(element, edges) {
  const origin = element.getBoundingClientRect();
  const at = new Map([...element.querySelectorAll("[data-node]")].map((one) => [one.dataset.node, one.getBoundingClientRect()]));
  const paths = edges.filter(([from, to]) => at.has(from) && at.has(to)).map(([from, to]) => {
    const [a, b] = [at.get(from), at.get(to)];
    const [x, y] = [a.right - origin.left, a.top + a.height / 2 - origin.top];
    const [u, v] = [b.left - origin.left, b.top + b.height / 2 - origin.top];
    const middle = (x + u) / 2;
    return `M${x} ${y}C${middle} ${y} ${middle} ${v} ${u} ${v}`;
  });
  return { width: origin.width, height: origin.height, paths };
}
