//! The folder that state is kept in.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use models::PathKey;

use crate::LocalError;

/// The folder, ours alone while this lives.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
    // The operating system releases it when the process ends, however it ends.
    _lock: File,
}

impl State {
    /// Opens the folder, or makes one that only its owner can read.
    pub(crate) fn open(folder: &Path) -> Result<Self, LocalError> {
        let failed = |source| LocalError::State { folder: folder.to_owned(), source };
        // A folder that was there before keeps its permissions: it may be somebody's `/tmp`.
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(failed)?;
            only_for_owner(folder).map_err(failed)?;
        }
        let lock = File::options().create(true).append(true).open(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LocalError::StateInUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file as a whole or not at all.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf, LocalError> {
        let path = self.path(name);
        let new = self.path(&format!("{name}.new"));
        let write = || -> io::Result<()> {
            let mut file = private_file(&new)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|source| LocalError::State { folder: self.folder.clone(), source })?;
        Ok(path)
    }

    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, LocalError> {
        match fs::read_to_string(self.path(name)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LocalError::State { folder: self.folder.clone(), source }),
        }
    }

    /// The path key of the seed tenant: made at the first start and kept.
    pub(crate) fn path_key(&self, configured: Option<&PathKey>) -> Result<PathKey, LocalError> {
        if let Some(key) = configured {
            return Ok(key.clone());
        }
        let kept = self.read("path-key")?.and_then(|text| text.trim().parse().ok());
        if let Some(key) = kept {
            return Ok(key);
        }
        let key = PathKey::from_bytes(rand::random());
        self.write("path-key", key.expose())?;
        Ok(key)
    }
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().create(true).write(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    File::create(path)
}

#[cfg(unix)]
fn only_for_owner(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn only_for_owner(_folder: &Path) -> io::Result<()> {
    Ok(())
}
