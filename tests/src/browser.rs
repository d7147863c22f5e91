//! Claim: people can watch, understand and repair the shop with nothing but a browser. Method: the whole application and a real
//! Chromium, which sees pages as people do. Needs: the built components, `chromium` and `chromedriver`.

mod accessibility;
mod hostile;
mod keyboard;
mod languages;
mod phone;
mod repairs;
mod scene;
mod screen;
mod screenshots;
mod session;
mod watching;
mod without_scripts;
