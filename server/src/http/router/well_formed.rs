//! What no handler gets to see: requests for no place of this server, and requests whose host nobody
//! can tell.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, Version, header};

use super::READS;
use crate::{config::Authority, error::ApiError};

/// Answers what cannot be answered by anybody further in.
pub(super) async fn well_formed(request: Request, next: Next) -> Response {
    match judge(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            let mut response = error.into_response();
            if error == ApiError::MethodNotAllowed {
                response.headers_mut().insert(header::ALLOW, READS);
            }
            response
        }
    }
}

fn judge<B>(request: &http::Request<B>) -> Result<(), ApiError> {
    // It asks for a tunnel, which this server digs for nobody.
    if request.method() == Method::CONNECT {
        return Err(ApiError::MethodNotAllowed);
    }
    // `*`, or no path at all. A whole address with a path is answered as the path alone would be
    // (RFC 9112 §3.2.2).
    let uri = request.uri();
    let is_web = matches!(uri.scheme_str(), None | Some("http" | "https"));
    if !uri.path().starts_with('/')
        || !is_web
        || (uri.authority().is_some() && uri.scheme().is_none())
    {
        return Err(ApiError::BadTarget);
    }
    if is_told_once(request.headers(), request.version()) { Ok(()) } else { Err(ApiError::BadHost) }
}

/// Whether the host is told as RFC 9112 §3.2 wants it: by HTTP/1.1 once, before by whoever likes to.
fn is_told_once(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    match first {
        None => version != Version::HTTP_11,
        Some(host) => {
            let host = host.to_str().ok();
            second.is_none() && host.is_some_and(|host| is_host(host.trim()))
        }
    }
}

/// A host and maybe a port, and nothing else.
fn is_host(text: &str) -> bool {
    let port = text.rsplit_once(':').map_or("", |(_, port)| port);
    let has_port = port.ends_with(']') || port.is_empty() || port.parse::<u16>().is_ok();
    has_port && !text.contains(['/', '?', '#']) && Authority::of(text).is_some()
}

#[cfg(test)]
mod tests {
    use http::{Request, Version};

    use super::judge;
    use crate::error::ApiError;

    fn check(line: &str, hosts: &[&str], expected: Result<(), ApiError>) {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap_or_default();
        let (method, target, version) = (next(), next(), next());
        let version = if version == "HTTP/1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
        let mut request = Request::builder().method(method).uri(target).version(version);
        for host in hosts {
            request = request.header("host", *host);
        }
        let request = request.body(()).expect("a request");
        assert_eq!(judge(&request), expected, "{line} {hosts:?}");
    }

    #[test]
    fn only_places_of_this_server_are_asked_for() {
        let tv = &["tv.lan:8080"][..];
        check("GET /c/a?b HTTP/1.1", tv, Ok(()));
        check("GET http://tv.lan/c/a HTTP/1.1", tv, Ok(()));
        check("GET http://tv.lan HTTP/1.1", tv, Ok(()));
        check("OPTIONS /streams/a HTTP/1.1", tv, Ok(()));
        check("GET ftp://tv.lan/c/a HTTP/1.1", tv, Err(ApiError::BadTarget));
        check("CONNECT 127.0.0.1:22 HTTP/1.1", tv, Err(ApiError::MethodNotAllowed));
        check("CONNECT / HTTP/1.1", tv, Err(ApiError::MethodNotAllowed));
        check("CONNECT 127.0.0.1:22 HTTP/1.0", &[], Err(ApiError::MethodNotAllowed));
        check("GET 127.0.0.1:22 HTTP/1.1", tv, Err(ApiError::BadTarget));
        check("GET tv.lan HTTP/1.1", tv, Err(ApiError::BadTarget));
        check("OPTIONS * HTTP/1.1", tv, Err(ApiError::BadTarget));
        check("GET * HTTP/1.0", &[], Err(ApiError::BadTarget));
    }

    #[test]
    fn the_host_is_told_once() {
        for host in ["tv.lan", "TV.lan:8080", "10.0.0.1", "[::1]:8080", "under_score", "tv.lan."] {
            check("GET / HTTP/1.1", &[host], Ok(()));
        }
        check("GET / HTTP/1.0", &[], Ok(()));
        check("GET / HTTP/1.0", &["tv.lan"], Ok(()));
        let wrong =
            [&[][..], &["a", "b"], &["a", "a"], &[""], &["a b"], &["me@tv"], &["tv/x"], &["tv:x"]];
        for hosts in wrong {
            check("GET / HTTP/1.1", hosts, Err(ApiError::BadHost));
        }
        check("GET / HTTP/1.0", &["a", "b"], Err(ApiError::BadHost));
    }
}
