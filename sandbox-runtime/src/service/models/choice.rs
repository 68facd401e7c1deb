//! Which model is used where none is named.

use sandbox_core::model::{ModelInfo, ModelSource};

/// Returns the name of the default: the one that was made it, else the one that is called so, else the first of the
/// environment, in its order of preference, else the first of the settings.
pub(super) fn default_name(models: &[ModelInfo]) -> Option<&str> {
    let preferred = |name: &str| ["openrouter", "anthropic", "openai"].iter().position(|each| *each == name);
    let of_environment = || {
        let named = models.iter().filter(|model| model.source == ModelSource::Environment);
        named.min_by_key(|model| preferred(&model.name))
    };
    let model = models
        .iter()
        .find(|model| model.default)
        .or_else(|| models.iter().find(|model| model.name == "default"))
        .or_else(of_environment)
        .or(models.first())?;
    Some(&model.name)
}

#[cfg(test)]
mod tests {
    use sandbox_core::model::ModelKind;

    use super::*;

    #[track_caller]
    fn check(models: &[(&str, bool, ModelSource)], expected: Option<&str>) {
        let info = |(name, default, source): &(&str, bool, ModelSource)| ModelInfo {
            name: (*name).to_owned(),
            kind: ModelKind::OpenAi,
            base_url: None,
            model: "m".to_owned(),
            small_model: None,
            context_window: None,
            has_key: false,
            default: *default,
            source: *source,
        };
        let models: Vec<ModelInfo> = models.iter().map(info).collect();
        assert_eq!(default_name(&models), expected);
    }

    #[test]
    fn what_was_chosen_goes_before_what_is_there() {
        use ModelSource::{Environment, Settings};
        check(&[], None);
        check(&[("b", false, Settings), ("a", false, Settings)], Some("b"));
        check(
            &[("a", false, Settings), ("openai", false, Environment), ("openrouter", false, Environment)],
            Some("openrouter"),
        );
        check(&[("openai", false, Environment), ("default", false, Settings)], Some("default"));
        check(&[("default", false, Settings), ("mine", true, Settings)], Some("mine"));
    }
}
