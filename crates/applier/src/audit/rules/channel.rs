//! How browsers and this tool reach it, and how they log in.

use isapi::{AdminAccess, CertificateFacts, Measured, SecurityCapabilities};
use jiff::SignedDuration;

use super::on;
use crate::audit::observed::{Observed, Tls};
use crate::audit::verdict::Verdict;

/// The entrance of a protocol; one that is not listed is not there.
pub(super) fn access<'a>(observed: &'a Observed<'_>, protocol: &str) -> Result<&'a AdminAccess, Verdict> {
    let list = observed.readings.accesses.get()?;
    let found = list.iter().find(|access| access.is(protocol));
    found.ok_or_else(|| Verdict::not_offered(format!("{protocol} is not among its protocols")))
}

/// TL-01
pub(super) fn https(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let spoken = matches!(observed.tls, Tls::Spoken { .. });
    let https = match access(observed, "HTTPS") {
        Err(_) if spoken => return Ok(Verdict::pass("it is spoken right now; the setting was not read")),
        https => https?,
    };
    Ok(match https.enabled {
        Some(enabled) => Verdict::passes_if(enabled, on(enabled)),
        None if spoken => Verdict::pass("it is spoken right now; the setting says neither on nor off"),
        None => Verdict::unknown("it says neither on nor off"),
    })
}

/// TL-02
pub(super) fn http(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let redirects = access(observed, "HTTPS").ok().and_then(|https| https.redirect_to_https);
    let http = access(observed, "HTTP")?;
    let leads = match redirects {
        Some(true) => "leads to HTTPS",
        Some(false) => "does not lead to HTTPS",
        None => "does not say whether it leads to HTTPS",
    };
    Ok(match (http.enabled, redirects) {
        (Some(false), _) => Verdict::pass("off"),
        (enabled, Some(true)) => Verdict::pass(format!("{}, {leads}", enabled.map_or("on or off", on))),
        (Some(true), _) => Verdict::fail(format!("on, {leads}")),
        (None, _) => Verdict::unknown("it says neither on nor off"),
    })
}

/// General practice: time enough to make another.
const TIME_LEFT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// TL-03
pub(super) fn certificate(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let Tls::Spoken { certificate, .. } = &observed.tls else {
        return Ok(Verdict::unknown("it is talked to without TLS, so no certificate was seen"));
    };
    let Some(facts) = certificate else {
        return Ok(Verdict::unknown("its certificate cannot be read"));
    };
    let own = if facts.issuer == facts.subject { "signed by itself" } else { "signed by another" };
    let read = format!("{facts}, {own}");
    if facts.rsa_bits.is_some_and(|bits| bits < 2048) || facts.version < 3 {
        return Ok(Verdict::fail(read));
    }
    if !observed.clock_trusted {
        return Ok(
            Verdict::unknown("this laptop's clock is wrong, so its dates say nothing").having_read(read)
        );
    }
    if facts.not_after.duration_since(observed.now) <= TIME_LEFT {
        return Ok(Verdict::fail(read));
    }
    if names(facts, observed) {
        return Ok(Verdict::pass(read));
    }
    Ok(Verdict::manual("it names neither serial number nor address: whether it was made for this recorder or is that of the factory, a person must say").having_read(read))
}

fn names(facts: &CertificateFacts, observed: &Observed<'_>) -> bool {
    let subject = facts.subject.as_str().to_ascii_uppercase();
    let addresses = observed.readings.interfaces.found().into_iter().flatten();
    let mut own = addresses.flat_map(|interface| interface.ipv4.iter().chain(&interface.ipv6));
    // the address must be the whole name: 192.168.1.6 stands in 192.168.1.64
    let is_name = |name: &str| subject.split(',').any(|part| part.trim() == format!("CN={name}"));
    let serial: String = subject.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    serial.contains(&observed.device.serial.normalised())
        || own.any(|address| is_name(&address.to_string().to_ascii_uppercase()))
}

/// TL-04: what is measured counts more than what is set.
pub(super) fn old_versions(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let https = access(observed, "HTTPS");
    let flags = https.as_ref().ok().map(|https| (https.tls_1_1, https.tls_1_2));
    let set = match flags.and_then(|(old, _)| old) {
        Some(old) => format!("TLS 1.1 is set {}", on(old)),
        None => "no setting of TLS 1.1 was read".into(),
    };
    if let Tls::Spoken { old: measured, .. } = &observed.tls {
        let said = |version, measured: &Measured| match measured {
            Measured::Accepted => format!("{version} taken"),
            Measured::Refused => format!("{version} refused"),
            Measured::NotMeasured(why) => format!("{version} not measured, {why}"),
        };
        let [old, newer] = measured;
        let read = format!("measured: {}, {}; {set}", said("TLS 1.0", old), said("TLS 1.1", newer));
        if measured.contains(&Measured::Accepted) || flags.is_some_and(|(old, _)| old == Some(true)) {
            return Ok(Verdict::fail(read));
        }
        if measured.iter().all(|measured| *measured == Measured::Refused) {
            return Ok(Verdict::pass(read));
        }
        return Ok(Verdict::unknown("not all of it could be measured").having_read(read));
    }
    let https = https?;
    if https.enabled == Some(false) {
        return Ok(Verdict::not_offered("HTTPS is off"));
    }
    Ok(match https.tls_1_1 {
        Some(old) => {
            Verdict::passes_if(!old, format!("{set}; not measured, since it is talked to without TLS"))
        }
        None => Verdict::unknown(
            "no setting of it was read, and it is talked to without TLS, so it was not measured",
        ),
    })
}

/// AU-01
pub(super) fn web_login(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let web = observed.readings.web_login.get().map_err(|verdict| {
        // where digest is the only choice there is nothing to set
        let only = |capabilities: &&SecurityCapabilities| {
            matches!(&capabilities.certificate_types[..], [only] if only.as_str().eq_ignore_ascii_case("digest"))
        };
        match observed.readings.security.found().filter(only) {
            Some(_) => Verdict::pass("digest is the only choice"),
            None => verdict,
        }
    })?;
    let kind = web.certificate_type.as_str().to_ascii_lowercase();
    let algorithm = web.algorithm.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    let read = format!("{}{algorithm}", web.certificate_type);
    Ok(match kind.as_str() {
        "digest" => Verdict::pass(read),
        kind if kind.contains("basic") => Verdict::fail(read),
        _ => Verdict::unknown("no known way to log in").having_read(read),
    })
}

/// AU-02
pub(super) fn rtsp_login(_: &Observed<'_>) -> Result<Verdict, Verdict> {
    Ok(Verdict::manual("how recorders tell it is not on record, so it is not read"))
}
