// One colour for one run, everywhere; told apart in both themes, and by people who do not see red or green.
const COLORS = ["#2f6fde", "#d9730d", "#0b8a5f", "#c2308f", "#7a4be0", "#0d8aa8", "#b08600", "#d13438", "#4f7d12", "#5b6475"];

/** @param {string} id @returns {string} such as "#2f6fde" */
export function runColor(id) {
  let hash = 0;
  for (let at = 0; at < id.length; at += 1) hash = (hash * 31 + id.charCodeAt(at)) | 0;
  return COLORS[Math.abs(hash) % COLORS.length];
}

/** The *index*-th colour, for things without an id. */
export function color(index) {
  return COLORS[index % COLORS.length];
}
