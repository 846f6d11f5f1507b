// Markdown in one line: its words without its signs, for places too small for the whole.

/** @param {string} [text] */
export function plainLine(text) {
  return (text ?? "")
    .replace(/```[^\n]*\n?|~~~[^\n]*\n?/g, " ")
    .replace(/!?\[([^\]]*)\]\([^)\s]*(?:\s+"[^"]*")?\)/g, "$1")
    .replace(/^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+(?:\[[ xX]\]\s+)?|\d+[.)]\s+|(?:[-*_]\s*){3,}$|\|?(?:\s*:?-{3,}:?\s*\|)+[^\n]*$)/gm, "")
    .replace(/(\*\*|__|~~)(?=\S)([^\n]*?\S)\1/g, "$2")
    .replace(/(^|[^\w*])[*_](?=\S)([^*_\n]*\S)[*_](?!\w)/g, "$1$2")
    .replace(/`+([^`\n]*)`+/g, "$1")
    .replace(/\\([\\`*_{}[\]()#+\-.!|>~])/g, "$1")
    .replace(/\s+/g, " ").trim();
}
