// What the server told the page: { base: "/ui", prefix: "", assets: "/ui/a/..." , extensions: [...] }
/** @type {{base: string, prefix: string, assets: string, extensions?: import("./extensions.js").Extension[]}} */
export const start = JSON.parse(document.getElementById("start").textContent);
