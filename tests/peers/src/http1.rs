//! One plain HTTP call to this machine, in HTTP/1.0 so that an answer ends with its connection.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long a peer may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// The largest answer that is read, bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// A peer's answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sends a request and reads its answer.
pub(crate) fn send(request: &Request<Bytes>) -> Result<Answer> {
    let authority = request.uri().authority().context("an address without a host")?.as_str();
    let mut stream = TcpStream::connect(authority).with_context(|| format!("cannot reach {authority}"))?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let length = request.body().len();
    write!(
        stream,
        "{} {path} HTTP/1.0\r\nhost: {authority}\r\ncontent-length: {length}\r\n",
        request.method()
    )?;
    for (name, value) in request.headers() {
        write!(stream, "{name}: {}\r\n", value.to_str()?)?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(request.body())?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end =
        bytes.windows(4).position(|window| window == b"\r\n\r\n").context("an answer without an end")?;
    let (head, body) = bytes.split_at(end + 4);
    let mut lines = std::str::from_utf8(head)?.trim_end().split("\r\n");
    let first = lines.next().context("an empty answer")?;
    ensure!(first.starts_with("HTTP/1."), "not an answer of HTTP: {first}");
    let status = first.split(' ').nth(1).context("an answer without a status")?.parse()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        headers.append(name.parse::<HeaderName>()?, HeaderValue::from_str(value.trim())?);
    }
    Ok(Answer { status, headers, body: body.to_vec() })
}
