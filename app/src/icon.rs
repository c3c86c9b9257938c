//! Icons and the wordmark. The icons are symbols of `public/icons.svg`.

use leptos::prelude::*;

/// One icon, 24 units square, in the text's colour; decoration only.
#[component]
pub(crate) fn Icon(
    /// The symbol's name.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}

/// The wordmark, in the text's colour.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 -30 633 130" aria-hidden="true">
            <g fill="currentColor" fill-rule="evenodd">
                <path d="M98.99 40A50 50 0 1 0 98.99 60H68v2a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6V38a6 6 0 0 1 6-6h24a6 6 0 0 1 6 6v2Z" />
                <path
                    transform="translate(106)"
                    d="M50 0A50 50 0 0 0 50 100H100V0ZM38 32H62a6 6 0 0 1 6 6V62a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6V38a6 6 0 0 1 6-6Z"
                />
                <path
                    transform="translate(216)"
                    d="M0 0H52a12 12 0 0 1 12 12V32H38a6 6 0 0 0-6 6V100H0Z"
                />
                <path
                    transform="translate(288)"
                    d="M0 0H52a12 12 0 0 1 12 12V32H38a6 6 0 0 0-6 6V100H0Z"
                />
                <path
                    transform="translate(357)"
                    d="M98.99 60A50 50 0 1 0 92.71 76H36a4 4 0 0 1-4-4V64a4 4 0 0 1 4-4ZM38 25H62a6 6 0 0 1 6 6v7a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6V31a6 6 0 0 1 6-6Z"
                />
                <path
                    transform="translate(460)"
                    d="M14 -30H46V0H68V24H46V62a6 6 0 0 0 6 6H68V100H44A30 30 0 0 1 14 70V24H0V0H14Z"
                />
                <path
                    transform="translate(534)"
                    d="M98.99 60A50 50 0 1 0 92.71 76H36a4 4 0 0 1-4-4V64a4 4 0 0 1 4-4ZM38 25H62a6 6 0 0 1 6 6v7a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6V31a6 6 0 0 1 6-6Z"
                />
            </g>
        </svg>
    }
}
