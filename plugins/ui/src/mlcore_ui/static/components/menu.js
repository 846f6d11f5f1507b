// A button with a menu: the browser's own popover, so that it lies above everything and Escape closes it.
import { html, useRef, useState } from "../lib/html.js";

/**
 * @param {{label: string, title?: string, className?: string, tabindex?: number, children?: any,
 *   items: () => ({text: string, run?: () => void, href?: string, download?: string, checked?: boolean, note?: string, disabled?: boolean}|null)[]}} props
 */
export function Menu({ label, title, className = "plain", tabindex, children, items }) {
  const list = useRef(null);
  const button = useRef(null);
  const [open, setOpen] = useState(false);
  // a sign needs a name; words are one
  const worded = [children].flat().some((one) => typeof one === "string" && /[a-z]/i.test(one));
  const show = () => {
    setOpen(true);
    requestAnimationFrame(() => {
      const element = list.current;
      if (!element) return;
      const from = button.current.getBoundingClientRect();
      element.showPopover();
      const size = element.getBoundingClientRect();
      element.style.left = `${Math.max(4, Math.min(from.left, innerWidth - size.width - 8))}px`;
      element.style.top = `${from.bottom + size.height > innerHeight - 8 ? Math.max(4, from.top - size.height - 2) : from.bottom + 2}px`;
      element.querySelector("[role^=menuitem]")?.focus();
    });
  };
  const hide = () => { list.current?.hidePopover(); };
  const onToggle = (event) => {
    if (event.newState !== "closed") return;
    setOpen(false);
    if (document.activeElement === document.body || list.current?.contains(document.activeElement)) button.current?.focus();
  };
  const onKeyDown = (event) => {
    const all = [...list.current.querySelectorAll("[role^=menuitem]:not(:disabled)")];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at + all.length - 1) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Tab") hide();
    event.stopPropagation();
    if (to === undefined) return;
    event.preventDefault();
    all[to]?.focus();
  };
  return html`<button ref=${button} class=${className} aria-haspopup="menu" aria-expanded=${open} aria-label=${worded ? undefined : label} title=${title ?? (worded ? undefined : label)} tabindex=${tabindex}
      onClick=${(event) => { event.stopPropagation(); if (open) hide(); else show(); }}>${children ?? label}</button>
    ${open && html`<div ref=${list} class="menu" popover="auto" role="menu" aria-label=${label} onToggle=${onToggle} onKeyDown=${onKeyDown} onClick=${(event) => event.stopPropagation()}>
      ${items().filter(Boolean).map((one) => html`<${Item} one=${one} hide=${hide} />`)}</div>`}`;
}

function Item({ one, hide }) {
  const role = one.checked === undefined ? "menuitem" : "menuitemcheckbox";
  if (one.href) return html`<a role="menuitem" tabindex="-1" href=${one.href} download=${one.download} onClick=${hide}>${one.text}</a>`;
  return html`<button role=${role} tabindex="-1" aria-checked=${one.checked} disabled=${one.disabled} onClick=${() => { hide(); one.run(); }}>
    <span>${one.text}</span>${one.note && html`<kbd>${one.note}</kbd>`}</button>`;
}
