//! Asking other servers over HTTP: redirects are followed here, and each address on the way is judged
//! before anybody connects to it.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use reqwest::{Body, Client, dns::Resolve, redirect::Policy};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::timeout;
use url::{Host, Url};

use super::ssrf::{AllNames, Private, PublicNames, is_public};
use crate::{
    config::{OriginUrl, Site},
    error::{DESTINATION_UNAVAILABLE, PROXY_STATUS},
    storage::{Refusal, StoreError},
};

/// How long a connection may take to be made, its name and TLS included. Who waits for a picture waits no
/// longer than `cache` lets him.
const CONNECTS: Duration = Duration::from_secs(3);
/// How long a connection is kept that nobody uses, and how many to one server.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_CONNECTIONS: usize = 32;
/// How often an answer may lead to another address.
const REDIRECTS: usize = 5;

/// The way to other servers.
#[derive(Debug)]
pub(super) struct Web {
    /// To servers that the operator named,
    named: Client,
    /// and to all others.
    others: Client,
    allowed: Vec<Site>,
    login: Option<(Site, HeaderValue)>,
}

impl Web {
    /// A way that may lead to `origin`, to `allowed`, and to public addresses.
    pub(super) fn new(origin: &OriginUrl, allowed: &[Site]) -> Self {
        let own = Site::of(origin.url());
        let login = origin
            .login()
            .and_then(|(name, password)| Some((own.clone()?, basic(name, password)?)));
        let tls = tls();
        Self {
            named: client(tls.clone(), AllNames),
            others: client(tls, PublicNames),
            allowed: own.into_iter().chain(allowed.iter().cloned()).collect(),
            login,
        }
    }

    /// Asks for an address; answers with the address that led to the answer, which is no redirect.
    /// Each answer on the way may take as long to begin as `answers` says.
    pub(super) async fn ask(
        &self,
        method: Method,
        url: &Url,
        headers: &HeaderMap,
        answers: Duration,
    ) -> Result<(Url, Response<Body>), StoreError> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.once(method.clone(), &url, headers.clone());
            let answer = timeout(answers, answer)
                .await
                .unwrap_or_else(|_| Err(StoreError::Broken("it does not answer in time".into())))?;
            let leads_on = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !leads_on {
                return Ok((url, answer));
            }
            let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let to = to.and_then(|to| url.join(to).ok());
            url = to.ok_or_else(|| refused("it leads to no address", "mend that server"))?;
            // What it would sign in with elsewhere is its own affair.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_fragment(None);
        }
        Err(refused("it leads from address to address without an end", "mend that server"))
    }

    async fn once(
        &self,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
    ) -> Result<Response<Body>, StoreError> {
        let may_be_private = self.judge(url)?;
        let login = OriginUrl::of(url);
        let own =
            self.login.as_ref().filter(|(site, _)| site.holds(url)).map(|(_, own)| own.clone());
        let said = login.login().and_then(|(name, password)| basic(name, password)).or(own);
        if let Some(login) = said {
            headers.insert(header::AUTHORIZATION, login);
        }
        // A body that was packed for the way has another length than the one it is listed with.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("carrete"));
        let client = if may_be_private { &self.named } else { &self.others };
        let asked = client.request(method, login.url().clone()).headers(headers).send();
        match asked.await.map(Response::from) {
            Ok(answer) if is_packed(&answer) => {
                Err(refused("it packs what it was asked to send as it is", "mend that server"))
            }
            Ok(answer) => Ok(answer),
            Err(error) if is_private(&error) => Err(private(url)),
            Err(error) if error.is_connect() => {
                Err(StoreError::Away("no connection can be made".into()))
            }
            Err(_) => Err(StoreError::Broken("the connection breaks".into())),
        }
    }

    /// Whether the operator named this server; fails where it may not be asked at all.
    fn judge(&self, url: &Url) -> Result<bool, StoreError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(no_address());
        }
        if self.allowed.iter().any(|site| site.holds(url)) {
            return Ok(true);
        }
        let literal = match url.host() {
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            None => return Err(no_address()),
        };
        if literal.is_none_or(is_public) { Ok(false) } else { Err(private(url)) }
    }
}

fn is_packed(answer: &Response<Body>) -> bool {
    let packed = answer.headers().get(header::CONTENT_ENCODING);
    packed.is_some_and(|packed| !packed.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn basic(name: &str, password: &str) -> Option<HeaderValue> {
    let text = format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What an answer that is none means.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap) -> StoreError {
    match status.as_u16() {
        503 if is_behind(headers) => StoreError::Behind,
        404 | 410 => StoreError::Gone,
        412 | 416 => StoreError::Changed,
        401 | 403 => refused(
            "it does not let us in",
            "put name and password into its address, like http://name:password@nas.lan/",
        ),
        500 => StoreError::Broken("it answers 500".into()),
        408 | 425 | 429 | 501.. => StoreError::Away(format!("it answers {}", status.as_u16())),
        other => refused(&format!("it answers {other}"), "check its address"),
    }
}

/// Whether another Carrete says that it is well, and its source is not.
fn is_behind(headers: &HeaderMap) -> bool {
    let told = headers.get_all(PROXY_STATUS).iter().filter_map(|value| value.to_str().ok());
    told.flat_map(|value| value.split(',')).any(|one| one.trim() == DESTINATION_UNAVAILABLE)
}

pub(super) fn refused(what: &str, fix: &str) -> StoreError {
    StoreError::Refused(Refusal { what: what.to_owned(), fix: fix.to_owned() })
}

fn no_address() -> StoreError {
    refused("a list names what is no address of a web server", "mend that list")
}

fn private(url: &Url) -> StoreError {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    refused(
        &format!("a list names {host}, which lies in a private network"),
        &format!("if that is meant, set ORIGIN_ALLOW_PRIVATE={host}:{port}"),
    )
}

fn is_private(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Private>() {
            return true;
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<Private>()) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Redirects are not its own affair, nor are proxies that the environment names: the address that was
/// judged is the one that is connected to.
fn client(tls: ClientConfig, resolver: impl Resolve + 'static) -> Client {
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECTS)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build();
    client.expect("a client of a configuration that is whole")
}

/// Without this host's certificates every https fails, and http goes on.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let (added, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        tracing::warn!("This host has no certificates: servers can be asked over http alone.");
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(rustls::ALL_VERSIONS);
    builder.expect("ring knows all versions").with_root_certificates(roots).with_no_client_auth()
}
