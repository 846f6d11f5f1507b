// Files that the page itself makes.

/** Let the browser save something. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // the browser has taken it by then
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** A name that every file system takes. @param {string} text */
export function fileName(text) {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|-+$/g, "").slice(0, 100) || "mlcore";
}

/**
 * Rows as CSV. Cells that a spreadsheet would take for a formula get an apostrophe in front, unless they are negative numbers.
 * @param {(string|number|null|undefined)[][]} rows
 */
export function csv(rows) {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) && !(value[0] === "-" && Number.isFinite(Number(value))) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
