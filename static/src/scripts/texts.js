/**
 * What a script says, from the data attributes that the page's template translated.
 * `say.sendingOf({ file })` fills in `{file}` of data-sending-of.
 */
export function textsOf(element) {
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");
  return Object.fromEntries(
    Object.entries(element.dataset).map(([name, text]) => [name, (values = {}) => filled(text, values)]),
  );
}
