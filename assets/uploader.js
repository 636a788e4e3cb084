// Tells Python which file Streamlit's uploader has refused or could not send, and takes away its mark, whose reason only
// a mouse can read. pages/ui/widgets/uploader.py puts this file behind component.js.

const sizes = new Map(); // bytes of the files chosen last, by name

function noteSizes(event) {
  const files = [...(event.dataTransfer?.files ?? event.target.files ?? [])];
  if (files.length) sizes.clear();
  files.forEach((file) => sizes.set(file.name, file.size));
}

["change", "drop"].forEach((type) => document.addEventListener(type, noteSizes, true));

class Refusals {
  constructor(parent) {
    const host = parent.getRootNode().host ?? parent;
    this.block = host.closest('[data-testid="stVerticalBlock"]');
    this.observer = new MutationObserver(() => this.report());
    this.observer.observe(this.block, { subtree: true, childList: true, attributeFilter: ["aria-invalid"] });
  }

  update(send) {
    this.send = send;
    this.report();
  }

  // “Upload” alone does not say what, and in a closed section a browser may not see even that.
  nameButton() {
    const label = this.block.querySelector('[data-testid="stFileUploader"] [data-testid="stWidgetLabel"]');
    const button = this.block.querySelector('[data-testid="stFileUploader"] [data-testid="stBaseButton-secondary"]');
    if (button && label) button.setAttribute("aria-label", `Upload: ${label.textContent.trim()}`);
  }

  report() {
    this.nameButton();
    this.block.querySelectorAll('[data-testid="stFileChip"][aria-invalid="true"]').forEach((chip) => {
      const name = chip.querySelector('[data-testid="stFileChipName"]')?.title;
      const words = chip.querySelector('[role="alert"]')?.textContent ?? "";
      chip.querySelector("button")?.click();
      this.send({ size: sizes.get(name) ?? 0, words });
    });
  }

  dispose() {
    this.observer.disconnect();
  }
}

export default function ({ parentElement, setTriggerValue }) {
  return mountComponent(
    parentElement,
    () => new Refusals(parentElement),
    (refusals) => refusals.update((refusal) => setTriggerValue("refused", refusal)),
  );
}
