//! The verbs of the program and what they print; what they do lives in the features.

use std::{
    error::Error as _,
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use app::catalog::ChannelId;
use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ErrorKind},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use unicode_normalization::UnicodeNormalization;

use crate::{
    addresses,
    config::{BucketSettings, CacheSettings, Config, Folders, OriginSettings},
    data_dir::DataDir,
    doctor,
    http::assets::Site,
    serve, sources,
    storage::s3::Bucket,
    telemetry,
    transcode::{self, ConvertJob, OutputFormat, ProfileName, Tools},
    transfer::{self, Meter, PublishError, PublishJob, Published},
};

/// What is said where a bucket is needed.
const NO_BUCKET: &str =
    "no bucket is set: set BUCKET_NAME, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// How long the health check waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(4);

/// Videos and music from a folder, swiped through by everybody on the network.
#[derive(Parser, Debug)]
#[command(name = "carrete", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    serve: Config,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serve the app (what carrete alone does)
    Serve(Config),
    /// Make a channel from a video or music file
    Convert(ConvertArgs),
    /// Put a finished channel into the bucket; run again, it goes on where it was
    Push(PublishArgs),
    /// Take a finished channel out of the bucket, whole or not at all
    Pull(PublishArgs),
    /// List what would be served
    Channels(ListArgs),
    /// Check ffmpeg, folders, port and every channel, and say how to mend what is wrong
    Doctor(DoctorArgs),
    /// Ask the running server whether it is well; for container health checks
    #[command(hide = true)]
    Health(Config),
}

#[derive(Args, Debug)]
#[command(override_usage = "carrete convert INPUT CHANNEL [PROFILE]\n       \
                            carrete convert --each [--profile PROFILE] INPUT...")]
struct ConvertArgs {
    /// INPUT CHANNEL [PROFILE], or with --each any number of inputs; PROFILE is auto (default),
    /// low, medium, high or source
    #[arg(required = true, num_args = 1..)]
    names: Vec<String>,
    /// Each input into the channel of its own name
    #[arg(long)]
    each: bool,
    /// auto, low, medium, high or source
    #[arg(long, short)]
    profile: Option<ProfileName>,
    /// A channel of this name gives way
    #[arg(long)]
    replace: bool,
    /// One JSON line a second instead of a bar
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folders: Folders,
}

impl ConvertArgs {
    /// What is to be done, one job an input.
    fn jobs(&self) -> anyhow::Result<Vec<ConvertJob>> {
        let job = |input: &str, channel: ChannelId, profile: Option<ProfileName>| ConvertJob {
            input: input.into(),
            channel,
            profile: profile.unwrap_or_default(),
            streams: self.folders.streams.clone(),
            replace: self.replace,
            tools: Tools::default(),
        };
        if self.each {
            return self
                .names
                .iter()
                .map(|input| Ok(job(input, transcode::channel_of(Path::new(input))?, self.profile)))
                .collect();
        }
        let (input, channel, profile) = match self.names.as_slice() {
            [input, channel] => (input, channel, self.profile),
            [input, channel, profile] if self.profile.is_none() => {
                (input, channel, Some(profile.parse().map_err(anyhow::Error::msg)?))
            }
            _ => bail!("convert takes INPUT CHANNEL [PROFILE], or --each and any number of inputs"),
        };
        Ok(vec![job(input, channel_id(channel)?, profile)])
    }
}

#[derive(Args, Debug)]
struct PublishArgs {
    /// The channel
    channel: String,
    /// Another channel of this name gives way
    #[arg(long)]
    replace: bool,
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folders: Folders,
    #[command(flatten)]
    bucket: BucketSettings,
    #[command(flatten)]
    cache: CacheSettings,
}

impl PublishArgs {
    fn job(&self) -> anyhow::Result<PublishJob> {
        let channel = channel_id(&self.channel)?;
        let (streams, data) = (self.folders.streams.clone(), DataDir::new(&self.folders.data));
        let meter = Meter::new(&channel, told(self.json));
        Ok(PublishJob { channel, streams, data, replace: self.replace, meter })
    }

    /// Tells how it goes, and in one sentence what was done.
    async fn told(
        &self,
        job: &PublishJob,
        work: impl Future<Output = Result<Published, PublishError>>,
        sentence: impl FnOnce(Published) -> String,
    ) -> anyhow::Result<ExitCode> {
        let done = transfer::tell(&job.channel, &job.meter, told(self.json), work).await;
        if self.json {
            return Ok(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        println!("{}", sentence(done?));
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args, Debug)]
struct ListArgs {
    /// A JSON array of media objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folders: Folders,
    #[command(flatten)]
    bucket: BucketSettings,
    #[command(flatten)]
    origins: OriginSettings,
    #[command(flatten)]
    cache: CacheSettings,
}

#[derive(Args, Debug)]
struct DoctorArgs {
    /// A JSON array of checks
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: Config,
}

/// Parses the command line and runs the verb.
pub fn run() -> ExitCode {
    // Before anything else: this may be no start of the program, but of ffmpeg under its guard.
    if let Some(code) = transcode::hold() {
        return code;
    }
    // A file that is not there is no error; one that cannot be read is.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return fail(&format!(".env: {error}"));
    }
    let cli = match Cli::command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches))
    {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    if let Err(message) = telemetry::start() {
        return fail(&message);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads can be started: {error}")),
    };
    match runtime.block_on(dispatch(cli)) {
        Ok(code) => code,
        Err(error) => fail(&format!("{error:#}")),
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.verb {
        None => serve_until_signal(cli.serve).await,
        Some(Verb::Serve(config)) => serve_until_signal(config).await,
        Some(Verb::Convert(args)) => convert(args).await,
        Some(Verb::Push(args)) => {
            let (job, stop) = (args.job()?, stopped_by_signal()?);
            let bucket = bucket(&args, Bucket::to_publish)?;
            args.told(&job, transfer::push(&job, &bucket, &stop), |done| {
                let Published { files, bytes, there } = done;
                let id = &job.channel;
                format!(
                    "pushed {id}: {files} files, {bytes} bytes; {there} files were there already"
                )
            })
            .await
        }
        Some(Verb::Pull(args)) => {
            let (job, stop) = (args.job()?, stopped_by_signal()?);
            let bucket = bucket(&args, Bucket::new)?;
            let kept = crate::serve::kept(&args.cache, &args.folders);
            let store = crate::serve::on_shelf(&args.bucket, &kept, &stop);
            let store = store.context(NO_BUCKET)?;
            args.told(&job, transfer::pull(&job, &bucket, &store, &stop), |done| {
                let (id, Published { files, bytes, there }) = (&job.channel, done);
                let there = if there > 0 { "; all of it was there already" } else { "" };
                format!("pulled {id}: {files} files, {bytes} bytes{there}")
            })
            .await
        }
        Some(Verb::Channels(args)) => {
            let stop = CancellationToken::new();
            let kept = crate::serve::kept(&args.cache, &args.folders);
            let sources = crate::serve::elsewhere(&args.bucket, &args.origins, &kept, &stop);
            let (list, troubles) = sources::channels(&args.folders, sources, args.json).await?;
            print!("{list}");
            for trouble in troubles {
                let _ = writeln!(io::stderr(), "carrete: the {trouble}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Doctor(args)) => {
            let well = doctor::doctor(&args.config, args.json).await?;
            Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(Verb::Health(config)) => health(&config).await,
    }
}

fn told(json: bool) -> OutputFormat {
    if json { OutputFormat::AsJson } else { OutputFormat::ToPeople }
}

fn channel_id(name: &str) -> anyhow::Result<ChannelId> {
    ChannelId::parse(&name.nfc().collect::<String>())
        .with_context(|| format!("{name:?} cannot name a channel"))
}

fn bucket(
    args: &PublishArgs,
    open: impl Fn(&BucketSettings) -> Option<Bucket>,
) -> anyhow::Result<Bucket> {
    match args.bucket.missing() {
        Some(missing) => bail!(missing),
        None => open(&args.bucket).context(NO_BUCKET),
    }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "carrete: {message}");
    ExitCode::FAILURE
}

/// Help and version as clap writes them; a bad value in one line that names its variable.
fn refuse(error: &clap::Error) -> ExitCode {
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let flag = text(ContextKind::InvalidArg);
    let name = flag.split_whitespace().next().unwrap_or_default().trim_start_matches('-');
    let variable = Config::augment_args(clap::Command::new(""))
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name))
        .and_then(|arg| arg.get_env().map(|env| env.to_string_lossy().into_owned()))
        .unwrap_or_else(|| flag.clone());
    let value = text(ContextKind::InvalidValue);
    let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    let why = quoted_without_password(&why, &value);
    let value = without_password(&value);
    fail(&format!("{variable} cannot be {value:?}{why}"));
    ExitCode::from(2)
}

/// A value as it may be shown: of an address with a name and a password without both.
fn without_password(value: &str) -> String {
    match (value.find("://"), value.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}***{}", &value[..scheme + 3], &value[at..])
        }
        (_, Some(at)) => format!("***{}", &value[at..]),
        _ => value.to_owned(),
    }
}

/// Why that value was refused, as it may be shown: a reason quotes the value, or one of several.
fn quoted_without_password(why: &str, value: &str) -> String {
    let values = value.split(',').map(str::trim).chain([value]).filter(|one| one.contains('@'));
    values.fold(why.to_owned(), |why, one| {
        let hidden = without_password(one);
        why.replace(&format!("{one:?}"), &format!("{hidden:?}")).replace(one, &hidden)
    })
}

/// Makes channels; a signal stops it and leaves nothing half done.
async fn convert(args: ConvertArgs) -> anyhow::Result<ExitCode> {
    let jobs = args.jobs()?;
    let stop = stopped_by_signal()?;
    let missing = transcode::convert_each(&jobs, told(args.json), &stop).await;
    Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Cancelled by SIGTERM or Ctrl-C.
fn stopped_by_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let stopping = token.clone();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping");
        stopping.cancel();
    });
    Ok(token)
}

async fn serve_until_signal(config: Config) -> anyhow::Result<ExitCode> {
    if let Some(missing) = config.bucket.missing() {
        bail!(missing);
    }
    let site = Site::find()?;
    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} is in use: stop the other program, or set PORT to another one",
            config.port
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "port {} needs more rights than this program has: set PORT to one above 1023",
            config.port
        ),
        _ => anyhow::anyhow!("{address} cannot be listened on: {error}; check HOST and PORT"),
    })?;
    sources::usable(&config.folders)?;
    greet(&config, listener.local_addr().context("the port is not known")?);
    let data = doctor::data_folder(&config.folders.data);
    if !data.ok {
        tracing::warn!("{}; {}", data.message, data.fix.unwrap_or_default());
    }
    let shutdown = stopped_by_signal()?;
    serve(config, site, vec![listener], shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// Says where the server is, with a QR code for phones where a person sees it.
fn greet(config: &Config, listening: SocketAddr) {
    let mut out = io::stdout().lock();
    let addresses = addresses::lan(listening);
    let first = config
        .network
        .public_url
        .0
        .as_ref()
        .map(ToString::to_string)
        .or(addresses.first().cloned());
    if let Some(code) = first.as_deref().and_then(addresses::qr_text) {
        let _ = writeln!(out, "{code}");
    }
    let _ = writeln!(out, "Carrete serves {}", config.folders.streams.display());
    if let Some(url) = &config.network.public_url.0 {
        let _ = writeln!(out, "  {url}");
    }
    if listening.ip().is_unspecified() {
        let _ = writeln!(out, "  http://localhost:{}", listening.port());
    }
    for address in addresses {
        let _ = writeln!(out, "  {address}");
    }
    let _ = out.flush();
}

/// `GET /api/health` of the server that runs here.
async fn health(config: &Config) -> anyhow::Result<ExitCode> {
    let host = if config.host.is_unspecified() { [127, 0, 0, 1].into() } else { config.host };
    let ask = async {
        let mut stream = TcpStream::connect((host, config.port)).await?;
        let request = "GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(HEALTH_TIMEOUT, ask)
        .await
        .context("the server did not answer in time")?
        .context("the server does not answer")?;
    if !answer.starts_with("HTTP/1.1 200") {
        bail!("the server says: {}", answer.lines().last().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::{quoted_without_password, without_password};

    #[test]
    fn passwords_are_not_said_again() {
        for (value, shown) in [
            ("http://me:hush@store.lan", "http://***@store.lan"),
            ("5T", "5T"),
            // What stands there may be a token, and nothing that is shown needs it.
            ("me:hush@store", "***@store"),
            ("https://a.lan,http://me:hush@b.lan", "https://***@b.lan"),
            ("http://store.lan", "http://store.lan"),
        ] {
            assert_eq!(without_password(value), shown);
        }
        let why = ": \"http://me:hush@b.lan\" is no address";
        assert_eq!(
            quoted_without_password(why, "http://a.lan, http://me:hush@b.lan"),
            ": \"http://***@b.lan\" is no address"
        );
    }
}
