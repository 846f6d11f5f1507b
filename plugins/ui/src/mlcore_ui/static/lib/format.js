// Values as people read them.
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A number in at most *digits* significant digits; "NaN" and infinities by their names; "" for a missing one. */
export function number(value, digits = 5) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return size < 10000 ? String(value) : WHOLE.format(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(Math.min(3, digits - 1)).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

/** A count with separators. */
export function count(value) {
  return WHOLE.format(value);
}

/** @param {number} value */
export function bytes(value) {
  if (value === null || value === undefined) return "";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) { value /= 1000; at += 1; }
  return `${at === 0 ? value : Number(value.toPrecision(3))} ${units[at]}`;
}

/** A span of time in its two greatest units. @param {number} ms */
export function duration(ms) {
  if (ms === null || ms === undefined || ms < 0) return "";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${Number(s.toFixed(1))} s`;
  if (s < 3600) return two(s, 60, "min", 1, "s");
  if (s < 86400) return two(s, 3600, "h", 60, "min");
  return two(s, 86400, "d", 3600, "h");
}

function two(s, big, bigName, small, smallName) {
  const whole = Math.floor(s / big);
  const rest = Math.floor((s - whole * big) / small);
  return rest ? `${whole} ${bigName} ${rest} ${smallName}` : `${whole} ${bigName}`;
}

/** How long ago, in one unit. @param {number} ms */
export function ago(ms, now = Date.now()) {
  if (!ms) return "";
  const s = (now - ms) / 1000;
  if (s < 5) return "now";
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  if (s < 86400 * 60) return `${Math.floor(s / 86400)} d ago`;
  return day(ms);
}

/** @param {number} ms */
export function day(ms) {
  return ms ? new Date(ms).toISOString().slice(0, 10) : "";
}

/** A moment in local time. @param {number} ms */
export function time(ms) {
  if (!ms) return "";
  const at = new Date(ms);
  const pad = (value) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** The middle of a long text left out. @param {string} text */
export function short(text, most = 40) {
  if (text.length <= most) return text;
  const half = (most - 1) >> 1;
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

/** "FINISHED" as it is shown. */
export function status(value) {
  return { RUNNING: "running", SCHEDULED: "scheduled", FINISHED: "finished", FAILED: "failed", KILLED: "killed", LOST: "lost" }[value] ?? String(value ?? "").toLowerCase();
}
