//! The core's node as a machine of this world.
