// Light or dark: what the system says, unless the person chose.
import { signal, effect } from "./html.js";

const KEY = "mlcore.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** "auto", "light" or "dark". */
export const chosen = signal(localStorage.getItem(KEY) ?? "auto");
const dark = signal(system.matches);
system.addEventListener("change", () => { dark.value = system.matches; });

/** The theme that is shown: "light" or "dark". */
export const theme = signal("light");

effect(() => {
  const shown = chosen.value === "auto" ? (dark.value ? "dark" : "light") : chosen.value;
  document.documentElement.dataset.theme = shown;
  theme.value = shown;
  if (chosen.value === "auto") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen.value);
});

/** The value of a custom property such as "--ink" in the theme that is shown. */
export function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
