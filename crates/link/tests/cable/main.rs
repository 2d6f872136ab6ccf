//! A laptop and a recorder with a cable between them: two network namespaces and a veth pair, made by each
//! test for itself. Nothing here touches the network of the machine.

mod addresses;
mod finding;
mod isolation;
mod sampling;
mod world;
