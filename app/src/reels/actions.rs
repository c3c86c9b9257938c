//! What gestures and keys do that move no strip.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsValue;

use super::{
    controls_visibility::ControlsVisibility, feed::Feed, feed_controller::FeedController,
    gesture::Gesture, keys::Key, marks::ChannelNumberEntry,
};
use crate::{
    catalog::Anchor,
    chat::Chat,
    dom::{get, granted},
    help::Keyboard,
    part::{Part, parts},
    player::Player,
    reaction::Reactions,
};

parts! {
    mod parts in "main" {
        GUIDE_LINK: ".guide-link",
        FULL: ".full",
    }
}

/// Everything that a gesture may ask something of.
#[derive(Clone, Copy)]
pub(crate) struct Actions {
    pub(crate) feed: Feed,
    pub(crate) player: Player,
    pub(crate) visibility: ControlsVisibility,
    pub(crate) chat: Chat,
    pub(crate) reactions: Reactions,
    pub(crate) keyboard: Keyboard,
    pub(crate) number_entry: ChannelNumberEntry,
}

impl Actions {
    /// Does what gestures ask for.
    pub(crate) fn bind(self, room: &Part, controller: &Rc<FeedController>) {
        let (room, weak) = (room.clone(), Rc::downgrade(controller));
        controller.on_gesture(move |gesture| match gesture {
            Gesture::Touch => self.player.sound_as_remembered(),
            Gesture::Show => self.visibility.touched(),
            Gesture::Tap => {
                self.player.menu.set(false);
                self.player.toggle();
                self.visibility.touched();
            }
            Gesture::DoubleTap(x, y) => self.reactions.tapped(x, y),
            Gesture::Hold(fast) => {
                self.visibility.fast.set(fast);
                self.player.hold(fast);
            }
            Gesture::Key(key) => {
                if let Some(controller) = weak.upgrade() {
                    self.key(key, &room, &controller);
                }
            }
        });
    }

    fn key(self, key: Key, room: &Part, controller: &Rc<FeedController>) {
        // The key of the sound is a choice of its own.
        if key != Key::Sound {
            self.player.sound_as_remembered();
        }
        match key {
            Key::Pause | Key::Write if self.player.is_prompted() => self.player.play(),
            Key::Pause => self.player.toggle(),
            Key::Sound => self.player.toggle_sound(),
            Key::FullScreen => full_screen(),
            Key::Captions => self.player.toggle_captions(),
            Key::Like => self.reactions.toggle(),
            Key::Guide => room.find(parts::GUIDE_LINK).click(),
            Key::Help => self.keyboard.help.set(true),
            Key::Write => self.chat.write(),
            Key::Digit(digit) => {
                let (controller, feed) = (Rc::downgrade(controller), self.feed);
                self.number_entry.digit(digit, move |number| {
                    if let Some(controller) = controller.upgrade() {
                        let last = feed.total_now().saturating_sub(1);
                        controller.go_to(Anchor::Place((number - 1).min(last)));
                    }
                });
                return;
            }
            Key::Step(_) | Key::First | Key::Last => {}
        }
        self.visibility.touched();
    }
}

/// Full screen on or off, for the whole page: the controls come along. A landscape picture turns a
/// phone that lets itself be turned, which it does in full screen only.
pub(crate) fn full_screen() {
    let document = document();
    if document.fullscreen_element().is_some() {
        document.exit_fullscreen();
        return;
    }
    let Some(root) = document.document_element() else { return };
    let wide = document.query_selector(".room[data-shape=wide]").is_ok_and(|room| room.is_some());
    spawn_local(async move {
        // Refused where no gesture asked for it.
        let full = granted(&root, "requestFullscreen", &JsValue::UNDEFINED).await;
        if full.is_some() && wide {
            let orientation = get(&get(&window(), "screen"), "orientation");
            granted(&orientation, "lock", &"landscape".into()).await;
        }
    });
}

/// Binds its button, which is not there where a page cannot fill the screen, as on iPhones.
pub(super) fn full_screen_button(room: &Part) {
    let button = room.find(parts::FULL);
    button.toggle_attr("hidden", !document().fullscreen_enabled());
    button.on_click(full_screen);
}
