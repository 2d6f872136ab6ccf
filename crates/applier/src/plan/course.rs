//! The releases that lead to the one that is meant, in order.

use firmware::{Choice, Device, NoPath, Release, ReleaseId};

use super::{Listed, Options, Refusal};

/// What is meant, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course<'a> {
    /// The release that is meant.
    pub wanted: &'a Listed,
    /// What would be pushed, in order: the last is what is meant. Where no way leads there, it alone, so
    /// that all that is wrong with it can be said.
    pub steps: Vec<&'a Listed>,
    /// Why no way leads there.
    pub no_path: Option<NoPath>,
}

/// Which of the listed releases is meant for this recorder, and what comes before it.
pub fn course<'a>(
    listed: &'a [Listed],
    device: &Device,
    options: &Options,
) -> Result<Course<'a>, Box<Refusal>> {
    let wanted = select(listed, device, options)?;
    let path = firmware::path(releases(listed), device, options.region.as_deref(), &wanted.release);
    let (steps, no_path) = match path {
        Ok(steps) => (steps.into_iter().filter_map(|step| of(listed, &step.id)).collect(), None),
        Err(reason) => (vec![wanted], Some(reason)),
    };
    Ok(Course { wanted, steps, no_path })
}

fn select<'a>(listed: &'a [Listed], device: &Device, options: &Options) -> Result<&'a Listed, Box<Refusal>> {
    let found = match &options.release {
        Some(id) => return of(listed, id).ok_or_else(|| Refusal::UnknownRelease { id: id.clone() }.into()),
        None => match firmware::choose(releases(listed), device, options.region.as_deref()) {
            Choice::One(release) => of(listed, &release.id),
            Choice::Ambiguous(several) => {
                let ids = several.iter().map(|release| release.id.clone()).collect();
                return Err(Refusal::Ambiguous { ids }.into());
            }
            Choice::None => None,
        },
    };
    found.ok_or_else(|| {
        let near = firmware::near_misses(releases(listed), &device.model);
        Refusal::NoRelease { model: device.model.clone(), near: near.into_iter().cloned().collect() }.into()
    })
}

fn releases(listed: &[Listed]) -> impl Iterator<Item = &Release> {
    listed.iter().map(|listed| &listed.release)
}

fn of<'a>(listed: &'a [Listed], id: &ReleaseId) -> Option<&'a Listed> {
    listed.iter().find(|listed| listed.release.id == *id)
}
