//! Nothing: this package only names features of dependencies, see its manifest.
