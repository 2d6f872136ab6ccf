pub(crate) use firmware::reason;
