// Functions shared by all components. pages/ui/widgets/component.py puts this file before a component's own files and makes one
// module of them.

// Attributes: "text" sets the text, "on…" adds a listener, null and undefined are left out.
function createElement(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const components = new WeakMap();

// Creates the component at its first call and updates it at every later one. Returns the function that ends the call.
// Streamlit may make an older call after a newer one if the data changed while the script was loading. It then ends the
// older call at once, in the same task. So the update runs in the next task, and only if the call has not ended by
// then. The end of a call is the end of the component only if its place is no longer on the page.
function mountComponent(place, create, update) {
  const timer = setTimeout(() => {
    if (!components.has(place)) components.set(place, create());
    update(components.get(place));
  });
  return () => {
    clearTimeout(timer);
    if (place.isConnected) return;
    components.get(place)?.dispose();
    components.delete(place);
  };
}
