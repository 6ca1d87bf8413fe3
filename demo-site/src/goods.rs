//! The goods: made up, like their makers.

/// A shelf of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For writing and reading.
    Desk,
    /// For cooking and eating.
    Table,
    /// For the evening.
    Light,
}

impl Kind {
    /// All shelves, in the order of the filters.
    pub const ALL: [Self; 3] = [Self::Desk, Self::Table, Self::Light];

    /// Its word in addresses.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Table => "table",
            Self::Light => "light",
        }
    }

    /// Its word on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Desk => "Desk",
            Self::Table => "Table",
            Self::Light => "Light",
        }
    }

    /// The shelf of that word.
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// One thing to buy.
#[derive(Debug, PartialEq, Eq)]
pub struct Good {
    /// Its word in addresses: `/goods/rook-lamp`.
    pub slug: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// Its shelf.
    pub kind: Kind,
    /// In whole euros.
    pub price: u32,
    /// Pieces that are ready to be sent; 0 is sold out.
    pub n_ready: u32,
    /// The workshop it comes from.
    pub maker: &'static str,
    /// Why one would want it.
    pub about: &'static str,
    /// Measures and material.
    pub measures: &'static str,
    /// What it can be had in, the usual first.
    pub finishes: &'static [&'static str],
    /// An SVG that takes its colours from `style.css`.
    pub drawing: &'static str,
}

/// The thing of that word.
pub fn find(slug: &str) -> Option<&'static Good> {
    ALL.iter().find(|good| good.slug == slug)
}

/// The whole stock.
pub const ALL: &[Good] = &[
    Good {
        slug: "rook-lamp",
        name: "Rook lamp",
        what: "reading lamp",
        kind: Kind::Light,
        price: 128,
        n_ready: 7,
        maker: "Tolven metalworks",
        about: "A spun shade that keeps the light on the page and out of your eyes. The stem tips forward by a hand's \
                width and stays where you leave it.",
        measures: "42 cm tall, shade 24 cm. Copper, blackened steel, two metres of cloth cable.",
        finishes: &["Copper", "Soot", "Bone"],
        drawing: include_str!("drawings/rook-lamp.svg"),
    },
    Good {
        slug: "lark-kettle",
        name: "Lark kettle",
        what: "kettle that sings in two notes",
        kind: Kind::Table,
        price: 94,
        n_ready: 12,
        maker: "Tolven metalworks",
        about: "Two reeds in the spout are tuned a third apart: it calls you without shouting. Works on gas and on \
                induction.",
        measures: "1.4 litres, 1.1 kg. Copper outside, tinned inside, oiled beech handle.",
        finishes: &["Copper", "Soot"],
        drawing: include_str!("drawings/lark-kettle.svg"),
    },
    Good {
        slug: "moss-notebook",
        name: "Moss notebook",
        what: "192 pages, lies flat",
        kind: Kind::Desk,
        price: 18,
        n_ready: 240,
        maker: "Anders & Wray, binders",
        about: "Sewn in twelves, so it opens flat on the first page and on the last. The paper takes ink without \
                showing it on the other side.",
        measures: "14 × 21 cm, 192 pages of 90 g paper, cloth over board.",
        finishes: &["Moss", "Clay", "Night"],
        drawing: include_str!("drawings/moss-notebook.svg"),
    },
    Good {
        slug: "ember-mug",
        name: "Ember mug",
        what: "stoneware, two walls",
        kind: Kind::Table,
        price: 26,
        n_ready: 48,
        maker: "Pottery at Sill",
        about: "Thrown as one pot inside another. Coffee stays warm for a chapter, and the outside never burns a \
                finger.",
        measures: "280 ml, 9 cm tall. Stoneware; dishwasher and oven up to 200 °C.",
        finishes: &["Ember", "Ash", "Sea"],
        drawing: include_str!("drawings/ember-mug.svg"),
    },
    Good {
        slug: "cairn-candle",
        name: "Cairn candle",
        what: "three stones, one flame",
        kind: Kind::Light,
        price: 34,
        n_ready: 19,
        maker: "Pottery at Sill",
        about: "Three glazed stones that stack. The top one holds the wax; when it is burnt down, send the stone back \
                and it returns full.",
        measures: "16 cm tall, 30 hours. Stoneware, rape wax, cotton wick, no scent.",
        finishes: &["Grey", "Sand"],
        drawing: include_str!("drawings/cairn-candle.svg"),
    },
    Good {
        slug: "heron-bookends",
        name: "Heron bookends",
        what: "pair, folded steel",
        kind: Kind::Desk,
        price: 42,
        n_ready: 23,
        maker: "Tolven metalworks",
        about: "One sheet, two folds. The foot is thin enough for the first book to stand on it, which is why nothing \
                slips.",
        measures: "Each 12 × 18 cm, 700 g. Blackened steel, felt below.",
        finishes: &["Soot", "Copper"],
        drawing: include_str!("drawings/heron-bookends.svg"),
    },
    Good {
        slug: "bobbin-cup",
        name: "Bobbin cup",
        what: "for pens and pencils",
        kind: Kind::Desk,
        price: 22,
        n_ready: 61,
        maker: "Mill Lane turnery",
        about: "Turned from the bobbins of a closed weaving mill. The waist fits a hand, the weight keeps it upright \
                under a dozen pencils.",
        measures: "9 cm wide, 11 cm tall. Birch, oil finish.",
        finishes: &["Copper", "Birch"],
        drawing: include_str!("drawings/bobbin-cup.svg"),
    },
    Good {
        slug: "tide-clock",
        name: "Tide clock",
        what: "shows high water, roughly",
        kind: Kind::Desk,
        price: 156,
        n_ready: 3,
        maker: "H. Orrin, clocks",
        about: "Runs once around in twelve hours and twenty-five minutes. Set it at high water where you live, and it \
                is right to the quarter of an hour for weeks.",
        measures: "18 cm across. Copper case, paper dial, one AA cell a year.",
        finishes: &["Copper"],
        drawing: include_str!("drawings/tide-clock.svg"),
    },
    Good {
        slug: "slate-tray",
        name: "Slate tray",
        what: "for breakfast elsewhere",
        kind: Kind::Table,
        price: 58,
        n_ready: 0,
        maker: "Mill Lane turnery",
        about: "A rim high enough for a full cup on a stair. The slate lifts out and is a board by itself.",
        measures: "44 × 30 cm, 1.6 kg. Oak frame, Welsh slate.",
        finishes: &["Oak", "Soot"],
        drawing: include_str!("drawings/slate-tray.svg"),
    },
    Good {
        slug: "dune-vase",
        name: "Dune vase",
        what: "for branches, not bouquets",
        kind: Kind::Table,
        price: 64,
        n_ready: 9,
        maker: "Pottery at Sill",
        about: "A narrow neck and a low belly: three branches stand as they grew, and a cat has to work to tip it.",
        measures: "22 cm tall, 1.3 kg empty. Stoneware, copper ring.",
        finishes: &["Sand", "Ash"],
        drawing: include_str!("drawings/dune-vase.svg"),
    },
    Good {
        slug: "fern-press",
        name: "Fern press",
        what: "for leaves and letters",
        kind: Kind::Desk,
        price: 48,
        n_ready: 14,
        maker: "Anders & Wray, binders",
        about: "Two boards, two screws, twenty sheets of blotting paper. Leaves are flat in a week; the binders use \
                theirs for books.",
        measures: "24 × 18 cm, 1.2 kg. Ash, copper screws.",
        finishes: &["Ash wood"],
        drawing: include_str!("drawings/fern-press.svg"),
    },
    Good {
        slug: "wick-lantern",
        name: "Wick lantern",
        what: "for the table outside",
        kind: Kind::Light,
        price: 72,
        n_ready: 16,
        maker: "Tolven metalworks",
        about: "Four panes that slide out to be washed, a roof that the rain runs off, and a handle that stays cool \
                long enough to carry it in.",
        measures: "31 cm tall. Blackened steel, copper base, plain glass.",
        finishes: &["Soot", "Copper"],
        drawing: include_str!("drawings/wick-lantern.svg"),
    },
];
