//! The commands, their options, and what each does.
//!
//! Caller: `main`. *Not here:* texts ([`speech`]) and the broker itself (the library).

mod show;
mod speech;

pub use speech::Speech;

use clap::{Args, Parser, Subcommand};
use protocol::name::UnitName;
use server::membership::MembershipRefused;
use server::serve::{Options, ServeError, serve_with};
use server::{Broker, Home, HomeError, Settings, StoreError, now_ms};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The broker of a Sutura federation: carries envelopes, compares tags, keeps the log, and learns nothing else.
#[derive(Parser)]
#[command(
    name = "sutura-broker",
    version,
    after_help = "Example: sutura-broker init --home /var/lib/sutura --name Sahel"
)]
pub struct Cli {
    /// The broker's folder; else SUTURA_BROKER_HOME, else SUTURA_HOME, else the platform's data folder
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The language of messages: en or fr
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<String>,
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Found a broker: its keys, its certificate authority, its database
    #[command(after_help = "Example: sutura-broker init --home DIR --name Sahel --host broker.example.org")]
    Init(Init),
    /// Serve units until told to stop
    #[command(after_help = "Example: sutura-broker serve --home DIR --listen 0.0.0.0:7443 --admin 127.0.0.1:7480")]
    Serve(Serve),
    /// Invite a unit: prints the invite, which works once
    #[command(after_help = "Example: sutura-broker invite SN --home DIR")]
    Invite {
        /// The unit's name
        unit: UnitName,
        /// Where units reach the broker, if not where it listens
        #[arg(long, value_name = "HOST:PORT")]
        address: Option<String>,
    },
    /// Admit a unit that has joined, or take back a suspended one
    #[command(after_help = "Example: sutura-broker admit SN --wait --home DIR")]
    Admit {
        /// The unit's name
        unit: UnitName,
        /// Wait until it has joined
        #[arg(long)]
        wait: bool,
    },
    /// List the units and where they stand
    #[command(after_help = "Example: sutura-broker units --json --home DIR")]
    Units,
    /// Show how the broker stands
    #[command(after_help = "Example: sutura-broker status --home DIR")]
    Status,
    /// Suspend a unit: at once, whatever connections it has
    #[command(after_help = "Example: sutura-broker suspend SN --home DIR")]
    Suspend {
        /// The unit's name
        unit: UnitName,
    },
    /// Copy the database into a new file, while the broker runs
    #[command(after_help = "Example: sutura-broker backup /backup/broker.sqlite --home DIR")]
    Backup {
        /// The file to make
        file: PathBuf,
    },
}

#[derive(Args)]
struct Init {
    /// The federation's name
    #[arg(long)]
    name: String,
    /// A PostgreSQL database; without it, SQLite in the folder
    #[arg(long, value_name = "URL", env = "SUTURA_BROKER_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// A host name or address under which units reach the broker; may be repeated
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 chooses one
    #[arg(long, default_value = "127.0.0.1:7443", value_name = "ADDR")]
    listen: String,
    /// Where to show health, metrics and the OpenAPI document: a loopback address
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    admin: Option<SocketAddr>,
    /// Most connections at a time
    #[arg(long, default_value_t = 800, value_name = "N")]
    max_connections: usize,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Refused(#[from] MembershipRefused),
    #[error("no address")]
    NoAddress,
    #[error("{0} exists")]
    Exists(PathBuf),
    #[error("no folder")]
    NoFolder,
    #[error("on PostgreSQL")]
    OnPostgres(PathBuf),
}

impl Problem {
    /// The fact, and what to do next.
    pub fn say(&self, speech: &Speech) -> String {
        let why = self.to_string();
        let path = |path: &PathBuf| path.display().to_string();
        match self {
            Problem::Home(HomeError::Taken(at)) => speech.say("problem-taken", &[("folder", &path(at))]),
            Problem::Home(HomeError::Empty(at)) => speech.say("problem-empty", &[("folder", &path(at))]),
            Problem::Home(_) => speech.say("problem-home", &[("why", &why)]),
            Problem::Store(_) | Problem::Refused(MembershipRefused::Store(_)) => {
                speech.say("problem-store", &[("why", &why)])
            }
            Problem::Serve(_) => speech.say("problem-serve", &[("why", &why)]),
            Problem::Refused(_) => speech.say("problem-refused", &[("why", &why)]),
            Problem::NoAddress => speech.say("problem-no-address", &[]),
            Problem::Exists(file) => speech.say("problem-exists", &[("file", &path(file))]),
            Problem::NoFolder => speech.say("problem-no-folder", &[]),
            Problem::OnPostgres(folder) => speech.say("backup-postgres", &[("folder", &path(folder))]),
        }
    }
}

/// Does what was asked.
pub fn run(cli: Cli, speech: &Speech) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Problem::Serve(ServeError::Listener(e)))?;
    runtime.block_on(obey(cli, speech))
}

async fn obey(cli: Cli, speech: &Speech) -> Result<(), Problem> {
    let Cli { home, json, command, .. } = cli;
    let folder = home.or_else(from_environment).ok_or(Problem::NoFolder)?;
    match command {
        Command::Init(init) => return found(folder, init, json, speech).await,
        Command::Serve(options) => return serve(Home::open(&folder)?, options, json).await,
        _ => {}
    }
    let home = Home::open(&folder)?;
    let address = home.address();
    let broker = Broker::open(home).await?;
    let done = match command {
        Command::Invite { unit, address: named } => {
            let address = named.or(address).ok_or(Problem::NoAddress)?;
            let invite = broker.invite(&unit, &address, now_ms()).await?;
            show::invite(&invite, json);
            anstream::eprintln!("{}", speech.say("invite-next", &[("unit", unit.as_str())]));
            Ok(())
        }
        Command::Admit { unit, wait } => admit(&broker, &unit, wait, speech).await,
        Command::Units => {
            show::units(&broker.units().await?, json, speech);
            Ok(())
        }
        Command::Status => {
            show::status(&broker.status(now_ms()).await?, json, speech);
            Ok(())
        }
        Command::Suspend { unit } => {
            broker.suspend(&unit, now_ms()).await?;
            anstream::eprintln!("{}", speech.say("suspended", &[("unit", unit.as_str())]));
            Ok(())
        }
        Command::Backup { file } => backup(&broker, file, folder, speech).await,
        Command::Init(_) | Command::Serve(_) => Ok(()),
    };
    broker.close().await;
    done
}

async fn found(folder: PathBuf, init: Init, json: bool, speech: &Speech) -> Result<(), Problem> {
    let Init { name, database, hosts } = init;
    let settings = Settings { federation: name.clone(), database, hosts };
    let broker = Broker::open(Home::found(&folder, settings, now_ms())?).await?;
    let key = broker.public_key().to_string();
    if json {
        let federation = broker.federation().to_string();
        println!("{}", serde_json::json!({ "federation": name, "federation_id": federation, "signing_key": key }));
    }
    let folder = folder.display().to_string();
    anstream::eprintln!("{}", speech.say("founded", &[("federation", &name), ("folder", &folder)]));
    anstream::eprintln!("{}", speech.say("signing-key", &[("key", &key)]));
    broker.close().await;
    Ok(())
}

async fn serve(home: Home, options: Serve, json: bool) -> Result<(), Problem> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SUTURA_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let failed = |e| Problem::Serve(ServeError::Listener(e));
    let listener = TcpListener::bind(&options.listen).map_err(failed)?;
    let local = options.admin.map(TcpListener::bind).transpose().map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    // Units are told a name under which the certificate is good, where the operator gave one.
    let host = home.settings().hosts.first().cloned().or_else(|| named_host(&options.listen));
    let address = match host {
        Some(host) if !host.contains(':') => format!("{host}:{}", bound.port()),
        _ => bound.to_string(),
    };
    home.write_address(&address)?;
    let broker = Broker::open(home).await?;
    if json {
        let admin = local.as_ref().and_then(|local| local.local_addr().ok()).map(|at| at.to_string());
        println!("{}", serde_json::json!({ "listening": bound.to_string(), "address": address, "admin": admin }));
    } else {
        // Programs wait for this line: it is the same in every language.
        println!("listening on https://{bound}");
    }
    let options = Options { local, max_connections: options.max_connections };
    serve_with(broker.clone(), listener, Arc::new(now_ms), options, told_to_stop()).await?;
    broker.close().await;
    Ok(())
}

async fn admit(broker: &Broker, unit: &UnitName, wait: bool, speech: &Speech) -> Result<(), Problem> {
    let mut said = false;
    loop {
        match broker.admit(unit, now_ms()).await {
            Err(MembershipRefused::NotAsked) if wait => {
                if !std::mem::replace(&mut said, true) {
                    anstream::eprintln!("{}", speech.say("waiting", &[("unit", unit.as_str())]));
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            done => {
                done?;
                anstream::eprintln!("{}", speech.say("admitted", &[("unit", unit.as_str())]));
                return Ok(());
            }
        }
    }
}

async fn backup(broker: &Broker, file: PathBuf, folder: PathBuf, speech: &Speech) -> Result<(), Problem> {
    if file.exists() {
        return Err(Problem::Exists(file));
    }
    if !broker.backup(&file).await? {
        return Err(Problem::OnPostgres(folder));
    }
    let (file, folder) = (file.display().to_string(), folder.display().to_string());
    anstream::eprintln!("{}", speech.say("saved", &[("file", &file), ("folder", &folder)]));
    Ok(())
}

fn from_environment() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let platform = || directories::ProjectDirs::from("", "", "sutura").map(|dirs| dirs.data_dir().join("broker"));
    set("SUTURA_BROKER_HOME").or_else(|| set("SUTURA_HOME")).or_else(platform)
}

/// The host of `--listen`, if it is a name.
fn named_host(listen: &str) -> Option<String> {
    let (host, _) = listen.rsplit_once(':')?;
    host.bytes().any(|b| b.is_ascii_alphabetic()).then(|| host.to_owned())
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    match address {
        Some(address) if address.ip().is_loopback() => Ok(address),
        _ => Err("must be a loopback address, such as 127.0.0.1:7480: it is plain HTTP".to_owned()),
    }
}

async fn told_to_stop() {
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => {
                tokio::select! { () = interrupted => {}, _ = terminated.recv() => {} }
            }
            Err(_) => interrupted.await,
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
