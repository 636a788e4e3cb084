// Draws one or several cards into one picture, on white: title, name, the map as shown, and what its colours mean.

const GAP = 24;
const BIG_TEXT = { font: "600 22px sans-serif", colour: "#1a1c24", lineHeight: 30 };
const SMALL_TEXT = { font: "15px sans-serif", colour: "#5a5e6a", lineHeight: 21 };

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

function drawSheet(cards) {
  const columns = Math.min(4, cards.length);
  const width = Math.max(...cards.map((card) => card.canvas.width));
  const ruler = createCanvas(1, 1).getContext("2d");
  const tiles = cards.map((card) => ({
    canvas: card.canvas,
    above: [
      ...(card.panel.row ? wrapText(ruler, card.panel.row, SMALL_TEXT, width) : []),
      ...wrapText(ruler, card.panel.title, BIG_TEXT, width),
      ...wrapText(ruler, card.panel.name, SMALL_TEXT, width),
    ],
    below: wrapText(ruler, card.caption, SMALL_TEXT, width),
  }));
  // The maps of one row begin at one height, below the highest of their titles.
  const rows = [];
  for (let index = 0; index < tiles.length; index += columns) {
    const row = tiles.slice(index, index + columns);
    const headHeight = Math.max(...row.map((tile) => measureHeight(tile.above))) + 8;
    rows.push({
      row,
      headHeight,
      height: headHeight + Math.max(...row.map((tile) => tile.canvas.height + 8 + measureHeight(tile.below))),
    });
  }
  const canvas = createCanvas(
    GAP + columns * (width + GAP),
    GAP + rows.reduce((sum, { height }) => sum + height + GAP, 0),
  );
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = "top";
  let y = GAP;
  for (const { row, headHeight, height } of rows) {
    row.forEach((tile, column) => {
      const x = GAP + column * (width + GAP);
      writeLines(context, tile.above, x, y);
      context.drawImage(tile.canvas, x, y + headHeight);
      writeLines(context, tile.below, x, y + headHeight + tile.canvas.height + 8);
    });
    y += height + GAP;
  }
  return canvas;
}
