//! Pages of lists: `?limit=&cursor=` → `{ data, nextCursor }`.

use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use crate::store::PageRequest;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 200; 50 without it.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<usize>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

impl TryFrom<PageQuery> for PageRequest {
    type Error = ApiError;

    fn try_from(query: PageQuery) -> Result<Self, ApiError> {
        page(query.limit, query.cursor)
    }
}

/// Returns the page that a list's query asks for.
pub fn page(limit: Option<usize>, cursor: Option<String>) -> Result<PageRequest, ApiError> {
    Ok(PageRequest { limit: limited(limit)?, cursor })
}

pub fn limited(limit: Option<usize>) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(PageRequest::DEFAULT_LIMIT);
    if !(1..=PageRequest::MAX_LIMIT).contains(&limit) {
        return Err(ApiError::invalid(format!("limit is to be 1 to {}, not {limit}", PageRequest::MAX_LIMIT)));
    }
    Ok(limit)
}
