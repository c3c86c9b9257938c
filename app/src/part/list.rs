//! Children of one element, one for each key, made from the `template` that the server wrote.

use std::cell::RefCell;

use super::Part;

/// A list of children that are told apart by an attribute. Other children are left alone.
pub(crate) struct List {
    parent: Part,
    template: Part,
    key: &'static str,
    children: RefCell<Vec<(String, Part)>>,
}

impl List {
    /// Takes over the children that `parent` has; new ones are copies of what `template` holds.
    pub(crate) fn new(parent: Part, template: &Part, key: &'static str) -> Self {
        let there = parent.query_all(&format!(":scope > [{key}]"));
        let children =
            there.into_iter().filter_map(|part| Some((part.get_attr(key)?, part))).collect();
        Self { template: template.clone(), parent, key, children: RefCell::new(children) }
    }

    /// Has exactly these children, in this order, and returns them. A child that plays is never
    /// moved: it would stop. Else the one that has the focus is not: it would lose it.
    pub(crate) fn reconcile(&self, keys: Vec<String>) -> Vec<Part> {
        let mut before = self.children.take();
        before.retain(|(key, part)| {
            let stays = keys.contains(key);
            if !stays {
                // What is hidden with the focus in it hands that on.
                part.toggle_attr("hidden", true);
                part.element().remove();
            }
            stays
        });
        let all: Vec<(String, Part)> = keys
            .into_iter()
            .filter_map(|key| {
                let known = before.iter().position(|(known, _)| *known == key);
                known.map(|n| before.swap_remove(n)).or_else(|| self.copy(key))
            })
            .collect();
        self.order(&all);
        let parts = all.iter().map(|(_, part)| part.clone()).collect();
        self.children.replace(all);
        parts
    }

    fn copy(&self, key: String) -> Option<(String, Part)> {
        let part = self.template.copy()?;
        part.set_attr(self.key, Some(&key));
        Some((key, part))
    }

    fn order(&self, all: &[(String, Part)]) {
        // What is moved loses its film or the focus; what is new can be moved.
        let (mut fixed, mut most) = (0, 0);
        for (n, (_, part)) in all.iter().enumerate() {
            let plays = u8::from(part.query("video").is_some());
            let has_focus = u8::from(part.has_focus());
            let keeps = plays << 2 | has_focus << 1 | u8::from(part.element().is_connected());
            if keeps > most {
                (fixed, most) = (n, keeps);
            }
        }
        let Some((_, first)) = all.get(fixed) else { return };
        if !first.element().is_connected() {
            let _ = self.parent.element().append_child(first.element());
        }
        for pair in all[fixed..].windows(2) {
            let [(_, one), (_, next)] = pair else { continue };
            if one.element().next_element_sibling().as_ref() != Some(next.element()) {
                let _ = one.element().after_with_node_1(next.element());
            }
        }
        for pair in all[..=fixed].windows(2).rev() {
            let [(_, before), (_, one)] = pair else { continue };
            if one.element().previous_element_sibling().as_ref() != Some(before.element()) {
                let _ = one.element().before_with_node_1(before.element());
            }
        }
    }
}
