// Draws one or several cards into one picture, on white: class, probability, method, the map as shown, its colour bar,
// verdict, model and date. Text is large enough to be read where the picture is shown 600 pixels wide: the same layout
// as in xai_core/render/saved_picture.py.

const GAP = 24;
const READABLE_WIDTH = 600;
const MAX_COLUMNS = 2;
const BAR_HEIGHT = 14;
const INK = "#1a1c24";
const PALE = "#5a5e6a";

const createStyle = (size, scale, colour, weight = "") => ({
  font: `${weight} ${Math.round(size * scale)}px sans-serif`,
  colour,
  lineHeight: Math.round(size * scale * 1.35),
});

// Breaks a text into lines of at most `width` pixels. A longer word has a line of its own.
function wrapText(context, text, style, width) {
  context.font = style.font;
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && context.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => ({ line, style }));
}

function writeLines(context, lines, x, y) {
  for (const { line, style } of lines) {
    context.font = style.font;
    context.fillStyle = style.colour;
    context.fillText(line, x, y);
    y += style.lineHeight;
  }
}

const measureHeight = (lines) => lines.reduce((sum, { style }) => sum + style.lineHeight, 0);

// Draws the colours of a map from against to for, or from none to most, as they look on white, with their words.
function drawBar(context, card, x, y, width, height, style) {
  const { table, words } = card.legend;
  const strip = createCanvas(256, 1);
  const image = strip.getContext("2d").createImageData(256, 1);
  image.data.set(table);
  strip.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(strip, 0, 0, 256, 1, x, y, width, height);
  context.font = style.font;
  context.fillStyle = style.colour;
  context.fillText(words[0], x, y + height + 2);
  context.textAlign = "right";
  context.fillText(words[1], x + width, y + height + 2);
  context.textAlign = "left";
}

const formatDate = (date) => date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });

function drawSheet(cards, date = new Date()) {
  const columns = Math.min(MAX_COLUMNS, cards.length);
  const width = Math.max(...cards.map((card) => card.canvas.width));
  const scale = Math.max((GAP + columns * (width + GAP)) / READABLE_WIDTH, 1);
  const headline = createStyle(20, scale, INK, "600");
  const plain = createStyle(13, scale, INK);
  const pale = createStyle(13, scale, PALE);
  const barHeight = Math.round(BAR_HEIGHT * scale);
  const ruler = createCanvas(1, 1).getContext("2d");
  const wrap = (text, style) => (text ? wrapText(ruler, text, style, width) : []);
  const tiles = cards.map((card) => {
    const { panel } = card;
    return {
      card,
      above: [
        ...wrap(panel.saved.headline, headline),
        ...wrap(panel.row, pale),
        ...wrap([panel.title, panel.name].filter(Boolean).join(" · "), plain),
      ],
      bar: card.show === "picture" ? 0 : barHeight + 2 + plain.lineHeight + 8,
      below: [
        ...wrap(panel.verdict && `Verdict: ${panel.verdict.title}`, plain),
        ...wrap(card.caption, pale),
        ...panel.saved.lines.flatMap((line) => wrap(line, pale)),
      ],
    };
  });
  // The maps of one row begin at one height, below the highest of their titles.
  const rows = [];
  for (let index = 0; index < tiles.length; index += columns) {
    const row = tiles.slice(index, index + columns);
    const headHeight = Math.max(...row.map((tile) => measureHeight(tile.above))) + 8;
    const heights = row.map((tile) => tile.card.canvas.height + 8 + tile.bar + measureHeight(tile.below));
    rows.push({ row, headHeight, height: headHeight + Math.max(...heights) });
  }
  const canvas = createCanvas(
    GAP + columns * (width + GAP),
    GAP + rows.reduce((sum, { height }) => sum + height + GAP, 0) + pale.lineHeight + GAP,
  );
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = "top";
  let y = GAP;
  for (const { row, headHeight, height } of rows) {
    row.forEach((tile, column) => {
      const x = GAP + column * (width + GAP);
      let top = y + headHeight;
      writeLines(context, tile.above, x, y);
      context.drawImage(tile.card.canvas, x, top);
      top += tile.card.canvas.height + 8;
      if (tile.bar) drawBar(context, tile.card, x, top, width, barHeight, plain);
      writeLines(context, tile.below, x, top + tile.bar);
    });
    y += height + GAP;
  }
  writeLines(context, wrap(`Whybox · ${formatDate(date)}`, pale), GAP, y);
  return canvas;
}
