//! A client of the program, as simple as they come.

use reqwest::{Client, ClientBuilder, IntoUrl, Response};

/// Asks for anything. No test speaks TLS; the library wants to know of a provider all the same.
pub(crate) fn builder() -> ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

pub(crate) fn client() -> Client {
    builder().build().expect("a client")
}

pub(crate) async fn get(url: impl IntoUrl) -> reqwest::Result<Response> {
    client().get(url).send().await
}
