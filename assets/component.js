// What all components of these pages share. Joined before their own files into one module each by pages/ui/widgets/component.py.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const kept = new WeakMap();

// Streamlit calls a component for everything new, and may call an older time after a newer one: where something new came while the
// script was being loaded. It then ends the overtaken call at once, in the same task. So what a call brings is taken in the next task,
// if the call lives until then; and an end means the end of the component only where its place on the page is gone.
function lasting(place, create, take) {
  const later = setTimeout(() => {
    if (!kept.has(place)) kept.set(place, create());
    take(kept.get(place));
  });
  return () => {
    clearTimeout(later);
    if (place.isConnected) return;
    kept.get(place)?.dispose();
    kept.delete(place);
  };
}
