//! How a reel is played: its quality, its speed, beside other windows, and what comes after its end.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent};

use super::Player;
use crate::{
    dom::is_narrow,
    icon::Icon,
    overlay_history,
    part::{List, Part, effect, parts},
    text::{texts, words},
    value::Value,
};

parts! {
    mod parts in "main" {
        MENU_BUTTON: ".menu-button",
        MENU: ".menu",
        LEVEL_TEMPLATE: ".level-template",
    }
    mod menu in ".menu" {
        LEVELS: ".levels",
        SPEEDS: ".speeds",
        LOOPS: ".loops",
        GOES_ON: ".goes-on",
        PIP: ".beside",
    }
    mod levels in ".levels" {
        AUTOMATIC: ".rate",
    }
    mod level in ".level-template" {
        INPUT: "input",
        HEIGHT: ".lines",
        RATE: ".rate",
    }
}

/// Speeds that can be chosen, in hundredths.
const SPEEDS: [u32; 5] = [50, 100, 125, 150, 200];

/// Opens and closes the menu.
#[component]
pub(crate) fn MenuButton() -> impl IntoView {
    view! {
        <button
            class="hole menu-button"
            type="button"
            aria-label=texts().playback
            aria-expanded="false"
        >
            <Icon name="quality" />
        </button>
    }
}

/// The menu; it stands where the slate was.
#[component]
pub(crate) fn Menu() -> impl IntoView {
    let texts = texts();
    let switch = |class: &'static str, label: &'static str| {
        view! {
            <label class="row switch">
                <input class=class type="checkbox" role="switch" />
                <span>{label}</span>
            </label>
        }
    };
    view! {
        <div class="menu" role="group" aria-label=texts.playback tabindex="-1" hidden>
            <fieldset class="levels">
                <legend class="edge-print">{texts.quality}</legend>
                <Level label=texts.automatic />
            </fieldset>
            <fieldset class="speeds">
                <legend class="edge-print">{texts.speed}</legend>
                {SPEEDS
                    .map(|speed| {
                        view! {
                            <label>
                                <input type="radio" name="speed" value=speed checked=speed == 100 />
                                <span>
                                    {format!("{}×", f64::from(speed) / 100.0)
                                        .replace('.', words().decimal_point)}
                                </span>
                            </label>
                        }
                    })}
            </fieldset>
            {switch("loops", texts.loop_videos)}
            {switch("goes-on", texts.music_goes_on)}
            <button class="row beside" type="button" hidden>
                {texts.picture_in_picture}
            </button>
        </div>
    }
}

/// One quality.
#[component]
pub(crate) fn Level(label: &'static str) -> impl IntoView {
    view! {
        <label class="row">
            <input type="radio" name="level" value="0" checked=!label.is_empty() />
            <Icon name="check" />
            <span class="lines">{label}</span>
            <span class="rate"></span>
        </label>
    }
}

/// Binds the menu.
pub(super) fn menu(room: &Part, player: Player) {
    let (button, menu) = (room.find(parts::MENU_BUTTON), room.find(parts::MENU));
    button.bind_aria("aria-expanded", move || player.menu.get());
    button.on_click(move || player.menu.update(|open| *open = !*open));
    let close = move || {
        player.menu.set(false);
        button.focus();
    };
    let mut before = false;
    effect({
        let (menu, close) = (menu.clone(), close.clone());
        move || {
            let open = player.menu.get();
            menu.toggle_attr("hidden", !open);
            match (before, open) {
                (false, true) => {
                    menu.focus();
                    if is_narrow() {
                        overlay_history::opened(&menu, close.clone());
                    }
                }
                (true, false) => overlay_history::closed(&menu),
                _ => {}
            }
            before = open;
        }
    });
    menu.on("keydown", move |event| {
        if event.unchecked_ref::<KeyboardEvent>().key() == "Escape" {
            close();
        }
    });
    levels(&menu.find(menu::LEVELS), &room.find(parts::LEVEL_TEMPLATE), player);
    menu.find(menu::SPEEDS).on("change", move |event| {
        if let Some(speed) = value(&event) {
            player.set_speed(speed / 100.0);
        }
    });
    switch(&menu.find(menu::LOOPS), player.loops, move |on| player.set_loops(on));
    switch(&menu.find(menu::GOES_ON), player.goes_on, move |on| player.set_goes_on(on));
    let pip = menu.find(menu::PIP);
    pip.toggle_attr("hidden", !super::pip::is_there());
    pip.on_click(move || player.toggle_pip());
}

/// The qualities of the reel on screen: what is shown now stands beside the automatic one.
fn levels(part: &Part, template: &Part, player: Player) {
    let list = List::new(part.clone(), template, "data-key");
    let automatic = part.find(levels::AUTOMATIC);
    part.on("change", move |event| {
        if let Some(height) = value(&event) {
            player.set_height((height > 0.0).then_some(height as u32));
        }
    });
    effect(move || {
        let shown = player.height.get();
        automatic.set_text(&if shown > 0 { format!("{shown}p") } else { String::new() });
        let levels = player.levels.get();
        let keys = levels.iter().map(|(height, _)| height.to_string()).collect();
        for (row, (height, bits)) in list.reconcile(keys).iter().zip(&levels) {
            let input = row.find(level::INPUT);
            input.set_attr("value", Some(&height.to_string()));
            input.of::<HtmlInputElement>().set_checked(player.wanted_height.get() == Some(*height));
            row.find(level::HEIGHT).set_text(&format!("{height}p"));
            row.find(level::RATE).set_text(&megabits(*bits));
        }
    });
}

/// A rate in Mb/s with one decimal, as the page's language writes it.
fn megabits(bits: u32) -> String {
    let tenths = bits.div_ceil(100_000);
    format!("{}{}{} Mb/s", tenths / 10, words().decimal_point, tenths % 10)
}

fn switch(part: &Part, on: Value<bool>, change: impl Fn(bool) + 'static) {
    let input = Rc::new(part.of::<HtmlInputElement>().clone());
    part.on("change", {
        let input = Rc::clone(&input);
        move |_| change(input.checked())
    });
    effect(move || input.set_checked(on.get()));
}

/// The number that a changed radio stands for.
fn value(event: &web_sys::Event) -> Option<f64> {
    let input = event.target()?.dyn_into::<HtmlElement>().ok()?;
    input.unchecked_into::<HtmlInputElement>().value().parse::<u32>().ok().map(f64::from)
}
