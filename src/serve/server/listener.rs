//! The listeners on TCP addresses and Unix sockets.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Address, Control, Handle, Server};

use super::connection::{Gate, HEAD};
use crate::settings::Listen;

/// The longest time that a connection may be idle.
const IDLE: Duration = Duration::from_secs(75);

/// The most bytes of the head of a request.
const HEAD_SIZE: usize = 16 * 1024;

/// A listener that is bound to its address.
pub(super) enum Bound {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, std::path::PathBuf),
}

impl Bound {
    /// Binds an address.
    pub(super) fn to(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                let address = listener.local_addr()?;
                Ok(Self::Tcp(listener, address))
            }
            #[cfg(unix)]
            Listen::Unix(path) => {
                use std::os::unix::net::{UnixListener, UnixStream};
                // A killed server leaves its socket behind, which refuses connections.
                let is_left = UnixStream::connect(path)
                    .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
                if is_left {
                    std::fs::remove_file(path)?;
                }
                Ok(Self::Unix(UnixListener::bind(path)?, path.clone()))
            }
            #[cfg(not(unix))]
            Listen::Unix(_) => Err(io::Error::other("this system has no such sockets")),
        }
    }

    /// The bound address, with the actual port.
    pub(super) fn address(&self) -> Listen {
        match self {
            Self::Tcp(_, address) => Listen::Tcp(*address),
            #[cfg(unix)]
            Self::Unix(_, path) => Listen::Unix(path.clone()),
        }
    }

    /// Answers requests until `control` shuts the listener down.
    pub(super) async fn serve(
        self,
        routes: Router,
        (control, gate): (Control, Gate),
        tls: Option<RustlsConfig>,
    ) {
        let ended = match self {
            Self::Tcp(listener, _) => match axum_server::from_tcp(listener) {
                Ok(server) => {
                    let server = bounded(server, control);
                    let routes = routes.into_make_service();
                    match tls {
                        None => server.acceptor(gate).serve(routes).await,
                        Some(tls) => {
                            let acceptor = RustlsAcceptor::new(tls).acceptor(gate);
                            server.acceptor(acceptor).serve(routes).await
                        }
                    }
                }
                Err(error) => Err(error),
            },
            #[cfg(unix)]
            Self::Unix(listener, path) => {
                let ended = match axum_server::from_unix(listener) {
                    Ok(server) => {
                        let server = bounded(server, control).acceptor(gate);
                        server.serve(routes.into_make_service()).await
                    }
                    Err(error) => Err(error),
                };
                // A socket that stays is removed by the next server at this path.
                let _ = std::fs::remove_file(path);
                ended
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "a listener failed");
        }
    }
}

/// A server with limits on the size of heads and on idle time.
fn bounded<A: Address>(mut server: Server<A>, control: Control) -> Server<A> {
    let builder = server.http_builder();
    builder
        .http1()
        .header_read_timeout(IDLE)
        .max_buf_size(HEAD_SIZE);
    builder.http2().max_header_list_size(HEAD_SIZE as u32);
    server
        .first_request_timeout(HEAD)
        .handle(Handle::with_control(control))
}
