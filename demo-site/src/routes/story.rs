//! A long page: hash links, and clicks far below the fold.

use leptos::prelude::*;

use super::press_by_key;
use crate::app::name_page;

struct Chapter {
    id: &'static str,
    title: &'static str,
    paragraphs: &'static [&'static str],
}

const CHAPTERS: &[Chapter] = &[
    Chapter {
        id: "river",
        title: "The river",
        paragraphs: &[
            "The Sill is eleven kilometres long and nobody has ever drawn it on a map larger than a hand. It comes out \
             of a moor that is more water than ground, runs past five doors and is in the sea before it has decided \
             on a direction.",
            "What it has is a drop: eleven metres between the old mill and the tide mark. That is little for a river \
             and a great deal for a wheel. In the year when somebody first counted, it turned two looms, a hammer, a \
             saw and a lathe, and on Sundays a ferry.",
            "The looms are gone. So is the hammer, which could be heard in the next valley. The lathe is still there, \
             still on the wheel, and still in the hands of a family that says it never liked the noise of the hammer.",
        ],
    },
    Chapter {
        id: "mill",
        title: "The mill that stopped",
        paragraphs: &[
            "When the weaving mill closed it left behind forty thousand bobbins of birch, each as long as a hand, each \
             turned to the tenth of a millimetre, since a thread notices less than that.",
            "For nine years they were firewood. Then someone put six pencils into one, stood it on a desk, and it did \
             not fall over. There are about eleven thousand left. At the present rate that is enough for a lifetime; \
             after that we will have to think.",
            "The cups still carry the number of the loom. If yours is below 40 it spun the cloth for sails.",
        ],
    },
    Chapter {
        id: "kiln",
        title: "The kiln",
        paragraphs: &[
            "It takes nineteen hours to fire and three days to cool, and on the second day everybody finds a reason to \
             walk past. A pot that cracks in a kiln makes a sound like a coin on a plate. You count.",
            "The double wall of the Ember mug was a mistake. A cup had been thrown into another for a joke, both were \
             fired, and the person who was given it complained that the coffee stayed too hot. That is now the whole \
             idea.",
            "The glaze is ash from the same kiln, sieved twice. It comes out a little different each time: the three \
             names in the shop are directions rather than colours.",
            "Shelf seven, at the back, gets forty degrees more than the rest. The vases go there.",
        ],
    },
    Chapter {
        id: "copper",
        title: "Copper, and why",
        paragraphs: &[
            "Copper is soft, dear, and turns brown the day it is bought. It also moves heat better than anything else a \
             kitchen can pay for, and it can be spun: pressed against a wooden form while it turns, until the sheet \
             has become a bowl without ever being cut.",
            "The shade of the Rook lamp is spun from one disc of thirty-one centimetres. It takes four minutes, and it \
             took Ines Tolven two years until it took four minutes.",
            "We do not lacquer it. It will be the brown of a chestnut by the end of the second winter. Lemon and salt \
             undo that in a minute, if you must.",
        ],
    },
    Chapter {
        id: "paper",
        title: "Paper that lies flat",
        paragraphs: &[
            "A book opens flat when its pages were sewn and not glued, when the sheets were folded along the grain and \
             not across, and when the person at the press was not in a hurry. The third is the hard one.",
            "The Moss notebook has twelve sheets to a gathering and sixteen gatherings. The thread is linen and waxed. \
             The press is from a ship's office and has a crack, which is why one corner in every two hundred is a hair \
             rounder than the others. Should you get that one, it is not a fault; it is a signature.",
            "The Fern press is the same press at a quarter of the size, since so many people asked to borrow ours.",
        ],
    },
    Chapter {
        id: "clock",
        title: "A clock that is wrong on purpose",
        paragraphs: &[
            "High water comes fifty minutes later every day. A clock for it has to go round once in twelve hours and \
             twenty-five minutes, which no clock does. So H. Orrin took a plain movement and swapped one wheel: 58 \
             teeth where there had been 56.",
            "It is wrong by a quarter of an hour after three weeks, as the moon is not as regular as people say. You \
             set it again when you are at the sea, and being at the sea is rather the point.",
        ],
    },
    Chapter {
        id: "letters",
        title: "Letters",
        paragraphs: &[
            "“The lamp fell off the desk and broke the desk. Please advise.” We sent a felt pad, and for the desk the \
             address of a joiner.",
            "“My kettle sings a fourth and not a third.” It had been boiled dry; one reed had bent. It is back, and in \
             tune, and the owner says that he now misses the fourth.",
            "“Is the tray really sold out?” It is. The quarry opens when the snow is off the track, and nobody up there \
             has a telephone.",
            "Write to us. We answer on Thursdays, by hand, which is why it is short.",
        ],
    },
];

/// `/story`
#[component]
pub fn Story() -> impl IntoView {
    name_page("Story");
    view! {
        <div class="page story">
            <header>
                <h1>"Five doors on one river"</h1>
                <p class="lead">"Where the goods come from, who makes them, and what went wrong on the way."</p>
            </header>
            <nav class="contents" aria-label="Chapters">
                <ol>
                    {CHAPTERS
                        .iter()
                        .map(|chapter| view! { <li><a href=format!("#{}", chapter.id)>{chapter.title}</a></li> })
                        .collect_view()}
                </ol>
            </nav>
            <div class="prose">{CHAPTERS.iter().map(chapter).collect_view()}</div>
        </div>
    }
}

fn chapter(chapter: &'static Chapter) -> impl IntoView {
    view! {
        <section>
            <h2 id=chapter.id>{chapter.title}</h2>
            {chapter.paragraphs.iter().map(|text| view! { <p>{*text}</p> }).collect_view()}
            <Thanked />
        </section>
    }
}

/// A span that counts its clicks: something to press again and again.
#[component]
fn Thanked() -> impl IntoView {
    let n_times = RwSignal::new(0_u32);
    let press = move || n_times.update(|n_times| *n_times += 1);
    view! {
        <p class="thanked">
            <span
                class="link-like"
                role="button"
                tabindex="0"
                on:click=move |_| press()
                on:keydown=press_by_key(press)
            >
                "I liked this chapter"
            </span>
            <span class="soft" role="status">
                {move || match n_times.get() {
                    0 => String::new(),
                    1 => "noted".into(),
                    n => format!("noted {n} times"),
                }}
            </span>
        </p>
    }
}
