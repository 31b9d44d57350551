//! A link between client and broker that tests cut, mend, and lead elsewhere.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone)]
pub struct Link {
    pub address: SocketAddr,
    target: Arc<Mutex<Option<SocketAddr>>>,
    cuts: Arc<watch::Sender<u32>>,
}

impl Link {
    pub async fn to(target: SocketAddr) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link {
            address: listener.local_addr().unwrap(),
            target: Arc::new(Mutex::new(Some(target))),
            cuts: Arc::new(watch::channel(0).0),
        };
        let (target, cuts) = (link.target.clone(), link.cuts.clone());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let Some(there) = *target.lock().unwrap() else { continue };
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(there).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => (),
                        _ = cut.changed() => (),
                    }
                });
            }
        });
        link
    }

    /// Cuts every connection; new ones are possible at once.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts every connection, and every new one until the link is led somewhere.
    pub fn down(&self) {
        *self.target.lock().unwrap() = None;
        self.cut();
    }

    pub fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = Some(target);
    }
}
