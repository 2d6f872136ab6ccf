//! The sources of the settings as the downloader takes them, with what their files hold.

use std::path::Path;

use secrecy::SecretString;
use terminal::{Exit, Fail, Failure, SecretSource};

use crate::context::{Context, home_failure};
use crate::download::{Source, Sources};
use crate::home::{HeaderSetting, SourceSettings, read_settings};

/// How hosts are asked, as the home's settings say.
pub(super) fn sources(context: &Context) -> Result<Sources, Failure> {
    let home = context.home_dir()?;
    let settings = read_settings(&home).map_err(home_failure)?.unwrap_or_default();
    let read = |source: &SourceSettings| {
        let named = |failure: Failure| in_settings(failure.context(format!("source {}", source.host)), &home);
        self::source(source, &home).map_err(named)
    };
    let sources = settings.sources.iter().map(read).collect::<Result<_, _>>()?;
    Sources::new(sources).fail(Exit::Usage).map_err(|failure| in_settings(failure, &home))
}

fn in_settings(failure: Failure, home: &Path) -> Failure {
    let failure = failure.context(format!("settings {}", home.join("fetcher.toml").display()));
    if failure.hint.is_some() { failure } else { failure.hint("docs/sync.md has examples of [[source]]") }
}

fn source(settings: &SourceSettings, home: &Path) -> Result<Source, Failure> {
    let mut source = Source::of(&settings.host).fail(Exit::Usage)?;
    for (name, value) in &settings.headers {
        source = match value {
            HeaderSetting::Text(text) => source.header(name, &text.clone().into(), false),
            HeaderSetting::File { file } => source.header(name, &first_line(&home.join(file))?, true),
        }
        .fail(Exit::Usage)?;
    }
    let login = match (&settings.proxy_user, &settings.proxy_password_file) {
        (Some(user), Some(file)) => Some((user.clone(), first_line(&home.join(file))?)),
        (None, None) => None,
        _ => {
            let message = "proxy_user and proxy_password_file stand together or not at all";
            return Err(Failure::new(Exit::Usage, message));
        }
    };
    match &settings.proxy {
        Some(proxy) => source.proxy(proxy, login).fail(Exit::Usage),
        None if login.is_some() => Err(Failure::new(Exit::Usage, "proxy_user stands without a proxy")),
        None => Ok(source),
    }
}

fn first_line(file: &Path) -> Result<SecretString, Failure> {
    terminal::secret(&SecretSource { file: Some(file.to_owned()), ..SecretSource::default() }, "")
}
