//! Every operation of Discord's HTTP API, by method, path and its name in Discord's description of the API.

use std::sync::LazyLock;

use super::Operation;

/// All operations, ordered by path: `METHOD PATH NAME` on each line.
const TABLE: &str = include_str!("operations.txt");

/// All operations, ordered by path.
pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| TABLE.lines().filter_map(read).collect());

fn read(line: &'static str) -> Option<Operation> {
    let (method, rest) = line.split_once(' ')?;
    let (path, name) = rest.split_once(' ')?;
    Some(Operation { method, path, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_an_operation() {
        assert_eq!(OPERATIONS.len(), TABLE.lines().count());
        for Operation { method, path, name } in OPERATIONS.iter() {
            assert!(method.bytes().all(|byte| byte.is_ascii_uppercase()), "{method}");
            assert!(path.starts_with('/') && !path.contains(' ') && !name.contains(' '), "{path} {name}");
        }
    }
}
