// What the whole page does in the browser; pages/ui/widgets/sidebar.py mounts it once.

const MENU = '[data-testid="stSidebar"]';
const FOLDED = '[data-testid="stMain"] details:not([open]) button:not([aria-label], [title])';

// On a phone the menu lies over the page. Streamlit closes it behind its own links, but not behind st.page_link.
function closeMenu(event) {
  const menu = event.target.closest?.(MENU);
  if (!menu || innerWidth >= 768 || !event.target.closest("a")) return;
  menu.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}

// In a closed section no text is drawn, so a button has no name for programs that list what they see. An open one speaks
// for itself: its words may change.
function nameFolded() {
  document.querySelectorAll(FOLDED).forEach((button) => {
    const words = (button.querySelector('[data-testid="stMarkdownContainer"]') ?? button).textContent.trim();
    if (!words) return;
    button.setAttribute("aria-label", words);
    button.dataset.folded = "";
  });
}

function followSection(event) {
  if (event.target.open) {
    event.target.querySelectorAll("button[data-folded]").forEach((button) => {
      button.removeAttribute("aria-label");
      delete button.dataset.folded;
    });
  } else nameFolded();
}

export default function () {
  const root = document.documentElement; // and not the sidebar, which React may put up anew
  if (root.dataset.followsPage) return;
  root.dataset.followsPage = "yes";
  document.addEventListener("click", closeMenu);
  document.addEventListener("toggle", followSection, true); // it does not bubble
  let timer = 0;
  new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(nameFolded, 200);
  }).observe(document.body, { childList: true, subtree: true });
  nameFolded();
}
