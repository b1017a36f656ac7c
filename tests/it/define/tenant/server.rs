//! An account behind a socket, for the binary.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{Asked, Fault, Tenant, shown};

/// Serves an account; gives its base URL.
pub(in crate::define) fn serve(runtime: &Runtime, tenant: &Tenant) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(accept(listener, tenant.clone()));
    format!("http://{address}")
}

async fn accept(listener: TcpListener, tenant: Tenant) {
    while let Ok((stream, _)) = listener.accept().await {
        let tenant = tenant.clone();
        let service = service_fn(move |request| answer(request, tenant.clone()));
        // A connection that breaks shows in what the binary reports.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, tenant: Tenant) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let key = head.headers.get("idempotency-key");
    let asked = Asked {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        key: key.map_or_else(String::new, |key| key.to_str().unwrap().to_owned()),
    };
    let (status, body) = match tenant.ask(&asked) {
        Ok(answer) => answer,
        Err(Fault::Silence) => std::future::pending().await,
        Err(_) => (502, serde_json::Value::Null),
    };
    let mut response = Response::new(Full::new(Bytes::from(shown(&body))));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
