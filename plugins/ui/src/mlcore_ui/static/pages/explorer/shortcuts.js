// Keys of the explorer beside those of its grid.
import { useKeys } from "../../lib/keys.js";
import { change } from "./state.js";

/** The keys of the page beside those of the grid. */
export function useExplorerKeys({ selection, onColumns }) {
  const move = (key, event) => {
    // the grid has had it, and had no use for it
    if (event && event.target.closest?.(".grid")) return;
    const cell = document.querySelector(".grid [data-row][tabindex='0']") ?? document.querySelector(".grid");
    if (!(cell instanceof HTMLElement)) return;
    cell.focus();
    cell.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  };
  useKeys({
    "/": { run: () => document.getElementById("filter")?.focus(), about: "filter" },
    "j": { run: () => move("ArrowDown"), about: "next run" },
    "k": { run: () => move("ArrowUp"), about: "run before" },
    "c": { run: () => { if (selection.runs.peek().size > 1) change({ view: "compare" }, true); }, about: "compare the selected runs" },
    "e": { run: onColumns, about: "choose columns" },
  }, "Runs");
  // these are the grid's own; here they only stand for the help
  const own = (about) => ({ run: () => undefined, about });
  useKeys({
    "↑ ↓ ← →": own("from cell to cell"), "Home End": own("first run, last run"), "PgUp PgDn": own("a page up, a page down"), "Space": own("select; with Shift: all between"),
    "Enter ": own("open the run; in the head: sort"), "p": { run: (event) => move("p", event), about: "keep the run on top" }, "x": { run: (event) => move("x", event), about: "fold nested runs" },
    "Alt Enter": own("in the head: menu of the column"), "Alt ← →": own("in the head: move the column"), "Shift ← →": own("in the head: make the column narrower or wider"),
  }, "Table of runs");
}
