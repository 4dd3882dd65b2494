//! The URL of a token.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::place::Place;

/// The URL of a token, from which all requests are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    text: String,
    place: Place,
    path: String,
}

impl Token {
    /// Reads the value of `-discovery`.
    ///
    /// # Errors
    /// The cause in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (place, rest) = Place::parse(text)?;
        let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        Ok(Self { text: text.to_owned(), place, path: path.trim_end_matches('/').to_owned() })
    }

    /// The URL as it was given: the token of the cluster, so a slash at its end counts.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The service.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The URL of what is called `rest` below the token; of the token itself if that is empty.
    pub(super) fn url(&self, rest: &str) -> String {
        let Self { place, path, .. } = self;
        if rest.is_empty() { format!("{place}{path}") } else { format!("{place}{path}/{rest}") }
    }
}

impl core::fmt::Display for Token {
    /// The URL without credentials.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.place.credentials {
            Some(_) => f.write_str(&self.url("")),
            None => f.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn requests_go_below_the_path_and_the_whole_text_is_the_token() {
        let token = Token::parse("http://u:p@h:1/v2/keys/t/?x#y").unwrap();
        assert_eq!(token.as_str(), "http://u:p@h:1/v2/keys/t/?x#y");
        assert_eq!(token.url(""), "http://h:1/v2/keys/t");
        assert_eq!(token.url("_config/size"), "http://h:1/v2/keys/t/_config/size");
        assert_eq!(token.to_string(), "http://h:1/v2/keys/t");
        assert_eq!(Token::parse("http://h/t/").unwrap().to_string(), "http://h/t/");
    }
}
