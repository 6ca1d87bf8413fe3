//! A website of single answers, served letter for letter: what an owner's page, or a hostile one, may be.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Answers one request whose path is given, by writing to the connection; the end of the call ends the connection.
type Answer = dyn Fn(&str, &mut dyn Write) -> io::Result<()> + Send + Sync;

/// Serves for as long as the test program runs, each connection on a thread of its own.
///
/// # Panics
///
/// When no port of the loopback can be had.
pub fn serve(answer: impl Fn(&str, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    serve_streams(answer, |stream, answer| answer_one(stream, answer))
}

/// As [`serve`], over https.
///
/// # Panics
///
/// As [`serve`].
pub fn serve_tls(answer: impl Fn(&str, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let config = Arc::clone(&TLS.config);
    serve_streams(answer, move |stream, answer| {
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        answer_one(&mut stream, answer)?;
        stream.conn.send_close_notify();
        stream.flush()
    })
}

/// The certificate of the authority that [`serve_tls`] has its own from, as PEM.
pub fn authority() -> &'static str {
    &TLS.authority
}

/// Made anew by each test program, so that no key lies in the tree.
static TLS: LazyLock<Tls> = LazyLock::new(|| Tls::make().expect("certificates can be made"));

struct Tls {
    authority: String,
    config: Arc<ServerConfig>,
}

impl Tls {
    fn make() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let site =
            CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("it has some")
            .with_no_client_auth()
            .with_single_cert(vec![site.der().clone()], key.into())
            .expect("they fit");
        Ok(Self { authority: authority.pem(), config: Arc::new(config) })
    }
}

fn serve_streams(
    answer: impl Fn(&str, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    speak: impl Fn(TcpStream, &Answer) -> io::Result<()> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let answer: Arc<Answer> = Arc::new(answer);
    let speak = Arc::new(speak);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, speak) = (Arc::clone(&answer), Arc::clone(&speak));
            // A visitor that has seen enough hangs up: no matter.
            thread::spawn(move || speak(stream, &*answer));
        }
    });
    address
}

fn answer_one(mut stream: impl Read + Write, answer: &Answer) -> io::Result<()> {
    let path = read_path(&mut stream)?;
    answer(&path, &mut stream)
}

/// Reads a request's head, and gives its path.
fn read_path(stream: &mut dyn Read) -> io::Result<String> {
    let mut head = vec![];
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// Writes a whole answer; `headers` are lines without their ends.
///
/// # Errors
///
/// When the other side hangs up.
pub fn write(out: &mut dyn Write, status: u16, headers: &[&str], body: &[u8]) -> io::Result<()> {
    write!(out, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len())?;
    headers.iter().try_for_each(|line| write!(out, "{line}\r\n"))?;
    out.write_all(b"\r\n")?;
    out.write_all(body)
}
