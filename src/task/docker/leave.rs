//! What a container is only given with leave: whatever reaches behind its walls.
//!
//! What is known to be harmless passes, everything else needs the author's word. A list of what is dangerous would have
//! to know every way to write it, and whatever docker learns next.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Component, Path, PathBuf};

use super::words::{is_plain, list};
use crate::task::outcome::TaskError;
use crate::task::settings::Settings;

/// Capabilities that containers have anyhow and that reach nothing outside.
const HARMLESS: [&str; 12] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Refuses what needs leave and has none: privileges, capabilities, weaker security, networks of others.
pub(super) fn check(settings: Settings<'_>) -> Result<(), TaskError> {
    let allows = |key: &str| settings.flag(key).map(|flag| flag == Some(true));
    if settings.flag("privileged")? == Some(true) && !allows("allow_privileged")? {
        return Err(settings.refused("privileged", "it needs with.allow_privileged: true"));
    }
    let secure = ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"];
    for option in list(settings, "security_opt")? {
        if !secure.contains(&option.as_str()) && !allows("allow_privileged")? {
            let reason = format!("{option:?} needs with.allow_privileged: true");
            return Err(settings.refused("security_opt", &reason));
        }
    }
    for capability in list(settings, "cap_add")? {
        let name = capability.trim().to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name);
        if !HARMLESS.contains(&name) && !allows("allow_dangerous_capabilities")? {
            let reason = format!("{capability:?} needs with.allow_dangerous_capabilities: true");
            return Err(settings.refused("cap_add", &reason));
        }
    }
    if let Some(network) = settings.text("network")? {
        let own = is_plain(network, b"_.-") && !network.eq_ignore_ascii_case("host");
        if !own && !allows("allow_host_network")? {
            let reason = format!("{network:?} needs with.allow_host_network: true");
            return Err(settings.refused("network", &reason));
        }
    }
    Ok(())
}

/// The words of `--mount` for every entry of `volumes`: `SOURCE:TARGET`, with `:ro` or `:rw`. A path has to lie in the
/// workflow's directory or in one of `allow_mounts`, wherever links lead; what has no slash is a volume's name.
pub(super) fn mounts(settings: Settings<'_>, workdir: &Path) -> Result<Vec<String>, TaskError> {
    let mut allowed = Vec::new();
    for path in list(settings, "allow_mounts")? {
        if !path.starts_with('/') {
            return Err(settings.refused("allow_mounts", &format!("{path:?} is no absolute path")));
        }
        allowed.extend(fs::canonicalize(path));
    }
    let mut words = Vec::new();
    for volume in list(settings, "volumes")? {
        let refused = |reason: &str| settings.refused("volumes", &format!("{volume:?}: {reason}"));
        let parts: Vec<&str> = volume.split(':').collect();
        let (source, target, mode) = match parts[..] {
            [source, target] => (source, target, "rw"),
            [source, target, mode @ ("ro" | "rw")] => (source, target, mode),
            _ => return Err(refused("expected source:target, source:target:ro or source:target:rw")),
        };
        if !target.starts_with('/') {
            return Err(refused("the target is no absolute path"));
        }
        let mut word = if source.starts_with('/') {
            let path = vetted(Path::new(source), workdir, &allowed).map_err(refused)?;
            format!("type=bind,{}", field("source", &path.display().to_string()))
        } else if is_plain(source, b"_.-") {
            format!("type=volume,source={source}")
        } else {
            return Err(refused("the source is neither an absolute path nor the name of a volume"));
        };
        word = format!("{word},{}", field("target", target));
        words.push(if mode == "ro" { word + ",readonly" } else { word });
    }
    Ok(words)
}

/// The path behind all links.
fn vetted(source: &Path, workdir: &Path, allowed: &[PathBuf]) -> Result<PathBuf, &'static str> {
    if source.components().any(|part| part == Component::ParentDir) {
        return Err("a path with .. is not taken");
    }
    let path = fs::canonicalize(source).map_err(|_| "the source is not there")?;
    if allowed.iter().any(|allowed| path.starts_with(allowed)) {
        return Ok(path);
    }
    let is_inside = |workdir: PathBuf| workdir.parent().is_some() && path.starts_with(workdir);
    let is_socket = fs::metadata(&path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if fs::canonicalize(workdir).is_ok_and(is_inside) && !is_socket {
        return Ok(path);
    }
    Err("the source is not in the workflow's directory, so it needs to be in with.allow_mounts")
}

/// A field of a line of comma-separated values.
fn field(name: &str, value: &str) -> String {
    if value.contains([',', '"', '\n']) {
        format!("\"{name}={}\"", value.replace('"', "\"\""))
    } else {
        format!("{name}={value}")
    }
}
