// As the device, light or dark; kept on this device alone.

export function switchTheme() {
  const buttons = document.querySelectorAll("[data-theme-value]");
  show(document.documentElement.dataset.theme ?? "auto");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      choose(button.dataset.themeValue);
      show(button.dataset.themeValue);
    });
  }

  function show(theme) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.themeValue === theme));
  }
}

function choose(theme) {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
}
